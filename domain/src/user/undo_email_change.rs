//! The owner of the old address takes it back. Whoever changed it may know the password and may have added ways in, so
//! every session and token ends, the password opens nothing any more, what was added goes, and a reset link is mailed.

use super::factors::{FactorRemoved, RecoveryCodesMade};
use super::{
    EmailChangeUndone, EmailUndo, Event, Identity, IdentityUnlinked, OpenLink,
    PasswordResetRequested, Rejection, User,
};
use crate::session::SecondFactor;
use crate::{FactorId, Lifetime, LinkNonce, Sealed, Timestamp};

/// The wish, with the nonce of a link whose signature was verified.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UndoEmailChange {
    pub nonce: LinkNonce,
    /// The old address, sealed for the event.
    pub email: Sealed,
    /// No recovery codes, sealed for the event that ends those which were made since.
    pub no_codes: Sealed,
    pub reset_nonce: LinkNonce,
    /// How long the reset link is good.
    pub reset_for: Lifetime,
    pub at: Timestamp,
}

/// Works once, within its time. What was added since the change was asked for goes: identities, factors, recovery codes.
pub fn decide(state: &User, wish: UndoEmailChange) -> Result<Vec<Event>, Rejection> {
    may_undo(state, wish.nonce, wish.at)?;
    let UndoEmailChange { email, no_codes, reset_nonce, reset_for, at, .. } = wish;
    let mut events = vec![EmailChangeUndone { email, epoch: state.epoch + 1, at }.into()];
    let unlinked = added_identities(state).map(|it| {
        let (identity, provider) = (it.id, it.provider.clone());
        Event::from(IdentityUnlinked { identity, provider })
    });
    events.extend(unlinked);
    let mut left = state.factors.count();
    for (factor, kind) in added_factors(state) {
        left -= 1;
        let left = u8::try_from(left).unwrap_or(u8::MAX);
        events.push(FactorRemoved { factor, kind, left, at }.into());
    }
    if left > 0 && has_other_codes(state) {
        events.push(RecoveryCodesMade { digests: no_codes, count: 0, at }.into());
    }
    let reset = PasswordResetRequested { nonce: reset_nonce, expires_at: at + reset_for, at };
    events.push(reset.into());
    Ok(events)
}

/// Identities that were linked since the change was asked for.
pub fn added_identities(state: &User) -> impl Iterator<Item = &Identity> {
    let before = state.email_undo.as_ref().map(|undo| &undo.ways.identities);
    let is_new = move |id| before.is_some_and(|before| !before.contains(&id));
    state.identities.iter().filter(move |identity| is_new(identity.id))
}

/// Factors that were added since.
pub fn added_factors(state: &User) -> Vec<(FactorId, SecondFactor)> {
    let Some(EmailUndo { ways, .. }) = &state.email_undo else { return Vec::new() };
    let apps = state.factors.totps.keys().map(|id| (*id, SecondFactor::Totp));
    let keys = state.factors.passkeys.keys().map(|id| (*id, SecondFactor::Passkey));
    apps.chain(keys).filter(|(id, _)| !ways.factors.contains(id)).collect()
}

fn has_other_codes(state: &User) -> bool {
    let now = state.factors.recovery.as_ref().map(|codes| &codes.digests);
    let before = state.email_undo.as_ref().and_then(|undo| undo.ways.recovery.as_ref());
    now.is_some() && now != before
}

/// The same question before anything is opened.
pub fn may_undo(state: &User, nonce: LinkNonce, at: Timestamp) -> Result<(), Rejection> {
    state.require_active().map_err(|_| Rejection::LinkInvalid)?;
    OpenLink::accept(state.email_undo.as_ref().map(|undo| undo.link), nonce, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::PasswordReset;
    use crate::user::factors::TotpEnrolled;
    use crate::user::samples::{
        activated, at, email_asked, email_changed, identity, linked, registered, sealed,
    };

    const DAY: u32 = 24 * 3_600;

    fn undo(seconds: u32) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let wish = UndoEmailChange {
            nonce: LinkNonce::new(13),
            email: sealed("ann@example.com"),
            no_codes: sealed(""),
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
    fn what_was_added_since_the_change_was_asked_for_goes() {
        let app = |number| {
            let factor = FactorId::new(uuid::Uuid::from_u128(number));
            let (name, secret) = (sealed("phone"), sealed("secret"));
            Event::from(TotpEnrolled { factor, name, secret, step: 1, at: at(3) })
        };
        let codes = |digests| {
            Event::from(RecoveryCodesMade { digests: sealed(digests), count: 10, at: at(3) })
        };
        let own = [registered(), activated(), linked("google", 1), app(1), codes("own")];
        let thiefs = [linked("work", 2), app(2), codes("thief's")];
        // Asked for again, so that it all looks older than the wish.
        let past = [&own[..], &[email_asked(5)], &thiefs, &[email_asked(6), email_changed(9)]];
        let unlinked = IdentityUnlinked {
            identity: identity(2),
            provider: crate::ProviderName::parse("work").unwrap(),
        };
        let (factor, kind) = (FactorId::new(uuid::Uuid::from_u128(2)), SecondFactor::Totp);
        let [undone, reset] = <[Event; 2]>::try_from(undone(20, 2)).unwrap();
        let wanted = vec![
            undone,
            unlinked.into(),
            FactorRemoved { factor, kind, left: 1, at: at(20) }.into(),
            RecoveryCodesMade { digests: sealed(""), count: 0, at: at(20) }.into(),
            reset,
        ];
        given::<User>(past.concat()).when(undo(20)).then(wanted.clone());
        let user = past.concat().iter().chain(&wanted).fold(User::default(), User::evolve);
        let ids = |user: &User| user.identities.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(&user), [identity(1)]);
        assert_eq!(user.factors.kinds(), [SecondFactor::Totp]);
        assert_eq!((user.factors.count(), user.password), (1, None));
        // What was there before stays, also its codes.
        let past = [&own[..], &[email_asked(5), email_changed(9)]].concat();
        given::<User>(past).when(undo(20)).then(super::tests::undone(20, 2));
    }

    #[test]
    fn a_reset_by_the_new_address_does_not_close_the_way_back() {
        let reset = PasswordReset { password: sealed("stolen"), epoch: 2, at: at(12) };
        let past = [registered(), activated(), email_asked(5), email_changed(9), reset.into()];
        given::<User>(past).when(undo(20)).then(undone(20, 3));
    }
}
