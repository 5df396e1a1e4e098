//! The owner of the old address takes it back. Whoever changed it may know the password, so every session ends and a
//! reset link goes to the address.

use super::{EmailChangeUndone, Event, OpenLink, PasswordResetRequested, Rejection, User};
use crate::{Lifetime, LinkNonce, Sealed, Timestamp};

/// The wish, with the nonce of a link whose signature was verified.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UndoEmailChange {
    pub nonce: LinkNonce,
    /// The old address, sealed for the event.
    pub email: Sealed,
    pub reset_nonce: LinkNonce,
    /// How long the reset link is good.
    pub reset_for: Lifetime,
    pub at: Timestamp,
}

/// Works once, within its time.
pub fn decide(state: &User, wish: UndoEmailChange) -> Result<Vec<Event>, Rejection> {
    may_undo(state, wish.nonce, wish.at)?;
    let UndoEmailChange { email, reset_nonce, reset_for, at, .. } = wish;
    let reset = PasswordResetRequested { nonce: reset_nonce, expires_at: at + reset_for, at };
    Ok(vec![EmailChangeUndone { email, epoch: state.epoch + 1, at }.into(), reset.into()])
}

/// The same question before anything is opened.
pub fn may_undo(state: &User, nonce: LinkNonce, at: Timestamp) -> Result<(), Rejection> {
    state.require_active().map_err(|_| Rejection::LinkInvalid)?;
    OpenLink::accept(state.email_undo.as_ref().map(|undo| undo.link), nonce, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::PasswordReset;
    use crate::user::samples::{activated, at, email_asked, email_changed, registered, sealed};

    const DAY: u32 = 24 * 3_600;

    fn undo(seconds: u32) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let wish = UndoEmailChange {
            nonce: LinkNonce::new(13),
            email: sealed("ann@example.com"),
            reset_nonce: LinkNonce::new(14),
            reset_for: crate::user::links::RESET_LIFETIME,
            at: at(seconds),
        };
        move |state| decide(state, wish)
    }

    fn undone(seconds: u32, epoch: u32) -> Vec<Event> {
        let undone = EmailChangeUndone { email: sealed("ann@example.com"), epoch, at: at(seconds) };
        let (nonce, expires_at) = (LinkNonce::new(14), at(seconds + 1_800));
        let reset = PasswordResetRequested { nonce, expires_at, at: at(seconds) };
        vec![undone.into(), reset.into()]
    }

    #[test]
    fn the_old_owner_has_three_days_and_one_try() {
        let past = vec![registered(), activated(), email_asked(5), email_changed(9)];
        given::<User>(past.clone()).when(undo(8 + 3 * DAY)).then(undone(8 + 3 * DAY, 2));
        given::<User>(past.clone()).when(undo(9 + 3 * DAY)).then_rejected(Rejection::LinkExpired);
        let past = [past, undone(20, 2)].concat();
        given::<User>(past).when(undo(21)).then_rejected(Rejection::LinkInvalid);
    }

    #[test]
    fn a_reset_by_the_new_address_does_not_close_the_way_back() {
        let reset = PasswordReset { password: sealed("stolen"), epoch: 2, at: at(12) };
        let past = [registered(), activated(), email_asked(5), email_changed(9), reset.into()];
        given::<User>(past).when(undo(20)).then(undone(20, 3));
    }
}
