//! Give up a change of address: by the link in the mail to the old address, or signed in.

use super::{EmailChangeCancelled, Event, Rejection, User};
use crate::{LinkNonce, Timestamp};

/// By a link whose signature was verified; good until the change is made, also after it confirmed.
pub fn by_link(state: &User, nonce: LinkNonce, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    match &state.email_change {
        Some(change) if change.old_nonce == nonce && at < change.expires_at => {
            Ok(vec![EmailChangeCancelled { at }.into()])
        }
        Some(change) if change.old_nonce == nonce => Err(Rejection::LinkExpired),
        _ => Err(Rejection::LinkInvalid),
    }
}

/// By its owner; nothing waits: nothing happens.
pub fn by_owner(state: &User, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    Ok(state.email_change.iter().map(|_| EmailChangeCancelled { at }.into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, email_asked, email_confirmed, registered};
    use crate::user::{EmailChangeCancelled, MailSide};

    const DAY: u32 = 24 * 3_600;

    #[test]
    fn the_old_side_gives_up_until_the_change_is_made() {
        let cancel =
            |nonce, seconds| move |it: &User| by_link(it, LinkNonce::new(nonce), at(seconds));
        let past =
            vec![registered(), activated(), email_asked(5), email_confirmed(MailSide::Old, 6)];
        given::<User>(past.clone()).when(cancel(12, 7)).then([EmailChangeCancelled { at: at(7) }]);
        given::<User>(past.clone()).when(cancel(11, 7)).then_rejected(Rejection::LinkInvalid);
        given::<User>(past.clone()).when(cancel(12, 5 + DAY)).then_rejected(Rejection::LinkExpired);
        let given_up = [past, vec![EmailChangeCancelled { at: at(7) }.into()]].concat();
        given::<User>(given_up).when(cancel(12, 8)).then_rejected(Rejection::LinkInvalid);
    }

    #[test]
    fn the_owner_gives_up_once() {
        let cancel = |it: &User| by_owner(it, at(9));
        let past = [registered(), activated(), email_asked(5)];
        given::<User>(past.clone()).when(cancel).then([EmailChangeCancelled { at: at(9) }]);
        given::<User>([registered(), activated()]).when(cancel).then_nothing();
    }
}
