//! Confirm the address by the mailed link.

use super::{Event, OpenLink, Rejection, Standing, User, UserActivated};
use crate::{LinkNonce, Timestamp};

/// The wish, with the nonce of a link whose signature was verified.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Activate {
    pub nonce: LinkNonce,
    pub at: Timestamp,
}

/// Activates once; the link that did it may be clicked again, at any time, without effect.
pub fn decide(state: &User, wish: Activate) -> Result<Vec<Event>, Rejection> {
    match state.standing {
        Standing::Inactive => {
            OpenLink::accept(state.activation, wish.nonce, wish.at)?;
            Ok(vec![UserActivated { at: wish.at }.into()])
        }
        Standing::Active if state.activation.is_some_and(|used| used.nonce == wish.nonce) => {
            Ok(Vec::new())
        }
        Standing::Active | Standing::Absent | Standing::Deactivated | Standing::Erased => {
            Err(Rejection::LinkInvalid)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{FIRST_LINK, activated, at, registered};
    use crate::user::{ActivationRequested, UserDeactivated};

    const DAY: u32 = 24 * 3_600;

    fn wish(nonce: LinkNonce, seconds: u32) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        move |state| decide(state, Activate { nonce, at: at(seconds) })
    }

    #[test]
    fn a_link_activates_until_its_day_is_over() {
        given::<User>([registered()]).when(wish(FIRST_LINK, 1)).then([activated()]);
        given::<User>([registered()])
            .when(wish(FIRST_LINK, DAY))
            .then_rejected(Rejection::LinkExpired);
    }

    #[test]
    fn a_second_click_changes_nothing_and_succeeds() {
        let past = [registered(), activated()];
        given::<User>(past.clone()).when(wish(FIRST_LINK, 2 * DAY)).then_nothing();
        given::<User>(past).when(wish(LinkNonce::new(9), 2)).then_rejected(Rejection::LinkInvalid);
    }

    #[test]
    fn a_used_link_is_not_open_any_more() {
        let waiting = User::default().evolve(&registered());
        assert!(waiting.open_activation().is_some());
        assert_eq!(waiting.evolve(&activated()).open_activation(), None);
    }

    #[test]
    fn a_newer_link_kills_the_older_one() {
        let newer = LinkNonce::new(2);
        let asked = ActivationRequested { nonce: newer, expires_at: at(DAY), at: at(5) };
        let past = [registered(), asked.into()];
        given::<User>(past.clone()).when(wish(FIRST_LINK, 6)).then_rejected(Rejection::LinkInvalid);
        given::<User>(past).when(wish(newer, 6)).then([UserActivated { at: at(6) }]);
    }

    #[test]
    fn a_closed_account_is_not_opened_by_a_link() {
        given::<User>([registered(), UserDeactivated { epoch: 1 }.into()])
            .when(wish(FIRST_LINK, 2))
            .then_rejected(Rejection::LinkInvalid);
    }
}
