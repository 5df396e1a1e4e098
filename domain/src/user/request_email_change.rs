//! Ask for another address; nothing changes before both sides have confirmed. An older wish is dead.

use super::links::{EMAIL_CHANGES_WINDOW, LinkLimits};
use super::{EmailChangeRequested, Event, Rejection, User};
use crate::{LinkNonce, Sealed, SessionId, Timestamp};

/// The wish: this address.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RequestEmailChange {
    pub email: Sealed,
    pub new_nonce: LinkNonce,
    pub old_nonce: LinkNonce,
    /// The session that asks, and stays.
    pub kept: Option<SessionId>,
    pub at: Timestamp,
}

/// Whether the address is free is not asked here: the caller must not learn it.
pub fn decide(
    state: &User,
    wish: RequestEmailChange,
    limits: &LinkLimits,
) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if let Some(undo) = &state.email_undo
        && wish.at < undo.link.expires_at
    {
        // A second change would take the way back from the owner of the first address.
        return Err(Rejection::EmailChangedRecently { until: undo.link.expires_at });
    }
    let counted = state.email_changes.filter(|it| wish.at < it.since + EMAIL_CHANGES_WINDOW);
    if let Some(counted) = counted.filter(|it| it.count >= limits.email_changes_max) {
        return Err(Rejection::TooManyEmailChanges { until: counted.since + EMAIL_CHANGES_WINDOW });
    }
    let RequestEmailChange { email, new_nonce, old_nonce, kept, at } = wish;
    let expires_at = at + limits.email_change;
    Ok(vec![EmailChangeRequested { email, new_nonce, old_nonce, kept, expires_at, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{
        ASKING, activated, at, email_asked, email_changed, registered, sealed,
    };

    const DAY: u32 = 24 * 3_600;

    fn ask(seconds: u32) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let wish = RequestEmailChange {
            email: sealed("new@example.com"),
            new_nonce: LinkNonce::new(11),
            old_nonce: LinkNonce::new(12),
            kept: Some(ASKING),
            at: at(seconds),
        };
        move |state| decide(state, wish, &LinkLimits::default())
    }

    #[test]
    fn an_active_account_asks_and_the_newest_wish_counts() {
        let past = [registered(), activated()];
        given::<User>(past.clone()).when(ask(5)).then([email_asked(5)]);
        given::<User>([registered()]).when(ask(5)).then_rejected(Rejection::Inactive);
    }

    #[test]
    fn five_wishes_a_day_are_enough() {
        let mut past = vec![registered(), activated()];
        past.extend((0..LinkLimits::default().email_changes_max).map(|n| email_asked(10 + n)));
        let until = at(10 + DAY);
        given::<User>(past.clone())
            .when(ask(9 + DAY))
            .then_rejected(Rejection::TooManyEmailChanges { until });
        given::<User>(past).when(ask(10 + DAY)).then([email_asked(10 + DAY)]);
    }

    #[test]
    fn no_second_change_while_the_first_can_be_undone() {
        let past = [registered(), activated(), email_asked(5), email_changed(9)];
        let until = at(9 + 3 * DAY);
        given::<User>(past.clone())
            .when(ask(8 + 3 * DAY))
            .then_rejected(Rejection::EmailChangedRecently { until });
        given::<User>(past).when(ask(9 + 3 * DAY)).then([email_asked(9 + 3 * DAY)]);
    }
}
