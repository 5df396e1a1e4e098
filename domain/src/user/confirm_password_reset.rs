//! Set a new password by the mailed link; every session ends.

use super::{Event, OpenLink, PasswordReset, Rejection, Standing, User};
use crate::{LinkNonce, Sealed, Timestamp};

/// The wish, with the nonce of a link whose signature was verified.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ConfirmPasswordReset {
    pub nonce: LinkNonce,
    pub password: Sealed,
    pub at: Timestamp,
}

/// A link works once, within its time, for an active account.
pub fn decide(state: &User, wish: ConfirmPasswordReset) -> Result<Vec<Event>, Rejection> {
    may_set(state, wish.nonce, wish.at)?;
    let ConfirmPasswordReset { password, at, .. } = wish;
    Ok(vec![PasswordReset { password, epoch: state.epoch + 1, at }.into()])
}

/// The same question before a password is hashed, so that a bad link costs nothing.
pub fn may_set(state: &User, nonce: LinkNonce, at: Timestamp) -> Result<(), Rejection> {
    if state.standing != Standing::Active {
        return Err(Rejection::LinkInvalid);
    }
    OpenLink::accept(state.reset, nonce, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{FIRST_LINK, activated, at, registered, sealed};
    use crate::user::{PasswordResetRequested, UserDeactivated};

    const LINK: LinkNonce = LinkNonce::new(2);

    fn wish(nonce: LinkNonce, seconds: u32) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let wish = ConfirmPasswordReset { nonce, password: sealed("new"), at: at(seconds) };
        move |state| decide(state, wish)
    }

    fn asked() -> Vec<Event> {
        let asked = PasswordResetRequested { nonce: LINK, expires_at: at(1_800), at: at(0) };
        vec![registered(), activated(), asked.into()]
    }

    fn done() -> Event {
        PasswordReset { password: sealed("new"), epoch: 1, at: at(9) }.into()
    }

    #[test]
    fn a_link_works_once_and_in_time() {
        given::<User>(asked()).when(wish(LINK, 9)).then([done()]);
        let past = [asked().as_slice(), &[done()]].concat();
        given::<User>(past).when(wish(LINK, 10)).then_rejected(Rejection::LinkInvalid);
        given::<User>(asked()).when(wish(LINK, 1_800)).then_rejected(Rejection::LinkExpired);
    }

    #[test]
    fn an_activation_link_sets_no_password() {
        given::<User>(asked()).when(wish(FIRST_LINK, 9)).then_rejected(Rejection::LinkInvalid);
    }

    #[test]
    fn a_closed_account_keeps_its_password() {
        let past = [asked().as_slice(), &[UserDeactivated { epoch: 1 }.into()]].concat();
        given::<User>(past).when(wish(LINK, 9)).then_rejected(Rejection::LinkInvalid);
    }
}
