//! Confirm a change of address from one of its two sides; the second makes it.

use super::{EmailChangeConfirmed, EmailChanged, Event, MailSide, OpenLink, Rejection, User};
use crate::{Lifetime, LinkNonce, Sealed, Timestamp};

/// The wish, with the nonce of a link whose signature was verified.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ConfirmEmailChange {
    pub side: MailSide,
    pub nonce: LinkNonce,
    /// Both addresses, sealed for the event that the second side makes.
    pub email: Sealed,
    pub previous: Sealed,
    pub undo_nonce: LinkNonce,
    /// How long the way back stays open.
    pub undo_for: Lifetime,
    pub at: Timestamp,
}

/// Each link works once and in time.
pub fn decide(state: &User, wish: ConfirmEmailChange) -> Result<Vec<Event>, Rejection> {
    let is_last = completes(state, wish.side, wish.nonce, wish.at)?;
    let ConfirmEmailChange { side, email, previous, undo_nonce, undo_for, at, .. } = wish;
    let mut events = vec![EmailChangeConfirmed { side, at }.into()];
    if is_last {
        let undo_until = at + undo_for;
        let kept = state.email_change.as_ref().and_then(|change| change.kept);
        let epoch = state.epoch + 1;
        let changed = EmailChanged { email, previous, undo_nonce, undo_until, kept, epoch, at };
        events.push(changed.into());
    }
    Ok(events)
}

/// Whether this link is good, and the other side has confirmed already.
pub fn completes(
    state: &User,
    side: MailSide,
    nonce: LinkNonce,
    at: Timestamp,
) -> Result<bool, Rejection> {
    state.require_active().map_err(|_| Rejection::LinkInvalid)?;
    let change = state.email_change.as_ref().ok_or(Rejection::LinkInvalid)?;
    let (mine, other) = match side {
        MailSide::New => (change.new_link, change.old_link),
        MailSide::Old => (change.old_link, change.new_link),
    };
    OpenLink::accept(mine, nonce, at)?;
    Ok(other.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{
        activated, at, email_asked, email_changed, email_confirmed, registered, sealed,
    };
    use crate::user::{PasswordReset, UserDeactivated};
    use crate::{Aggregate, SessionId};

    const DAY: u32 = 24 * 3_600;

    fn confirm(
        side: MailSide,
        nonce: u128,
        seconds: u32,
    ) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let wish = ConfirmEmailChange {
            side,
            nonce: LinkNonce::new(nonce),
            email: sealed("new@example.com"),
            previous: sealed("ann@example.com"),
            undo_nonce: LinkNonce::new(13),
            undo_for: crate::user::links::EMAIL_UNDO_LIFETIME,
            at: at(seconds),
        };
        move |state| decide(state, wish)
    }

    fn asked() -> Vec<Event> {
        vec![registered(), activated(), email_asked(5)]
    }

    #[test]
    fn both_sides_are_needed_in_any_order() {
        for (first, nonce, second, other) in
            [(MailSide::New, 11, MailSide::Old, 12), (MailSide::Old, 12, MailSide::New, 11)]
        {
            given::<User>(asked()).when(confirm(first, nonce, 6)).then([email_confirmed(first, 6)]);
            let past = [asked(), vec![email_confirmed(first, 6)]].concat();
            given::<User>(past)
                .when(confirm(second, other, 9))
                .then([email_confirmed(second, 9), email_changed(9)]);
        }
    }

    #[test]
    fn a_link_works_once_on_its_side_and_in_time() {
        let used = [asked(), vec![email_confirmed(MailSide::New, 6)]].concat();
        given::<User>(used)
            .when(confirm(MailSide::New, 11, 7))
            .then_rejected(Rejection::LinkInvalid);
        for (side, nonce) in [(MailSide::Old, 11), (MailSide::New, 12), (MailSide::New, 99)] {
            given::<User>(asked())
                .when(confirm(side, nonce, 6))
                .then_rejected(Rejection::LinkInvalid);
        }
        given::<User>(asked())
            .when(confirm(MailSide::New, 11, 5 + DAY))
            .then_rejected(Rejection::LinkExpired);
    }

    #[test]
    fn a_reset_or_a_closed_account_kills_the_wish() {
        let reset = PasswordReset { password: sealed("new"), epoch: 1, at: at(6) };
        for end in [Event::from(reset), UserDeactivated { epoch: 1 }.into(), activated()] {
            let past = [asked(), vec![end]].concat();
            given::<User>(past)
                .when(confirm(MailSide::New, 11, 7))
                .then_rejected(Rejection::LinkInvalid);
        }
    }

    #[test]
    fn the_session_that_asked_outlives_the_change_and_reset_links_do_not() {
        let user = [asked(), vec![email_changed(9)]].concat();
        let user = user.iter().fold(User::default(), User::evolve);
        assert!(!user.honours(SessionId::new(uuid::Uuid::from_u128(8)), 0));
        assert!(user.honours(SessionId::new(uuid::Uuid::from_u128(7)), 0));
        assert_eq!((user.reset, user.email), (None, Some(sealed("new@example.com"))));
    }
}
