//! An admin invites an address.

use super::{
    Event, INVITATIONS_PENDING_MAX, InvitationSent, MEMBERS_MAX, Organization, Rejection,
    expire_invitations,
};
use crate::limits::{Quota, full_until};
use crate::{InvitationId, Lifetime, LinkNonce, Role, Sealed, Timestamp, UserId};

/// How long an invitation stays good, where the configuration does not say (CONTRACT 4.3).
pub const LIFETIME: Lifetime = Lifetime::from_days(7);

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InviteMember {
    pub inviter: UserId,
    /// The account behind the address, if there is one.
    pub invitee: Option<UserId>,
    /// Whether an unexpired invitation holds the address's claim.
    pub is_address_invited: bool,
    pub invitation: InvitationId,
    pub address: Sealed,
    pub role: Role,
    pub nonce: LinkNonce,
    pub lifetime: Lifetime,
    /// Invitations that the organization sends at most.
    pub quota: Quota,
    pub at: Timestamp,
}

/// Whether an address may be invited at all; asked before it is sealed.
pub fn check(
    state: &Organization,
    inviter: UserId,
    invitee: Option<UserId>,
    is_address_invited: bool,
    quota: Quota,
    at: Timestamp,
) -> Result<(), Rejection> {
    if invitee == Some(inviter) {
        return Err(Rejection::InvitesOneself);
    }
    if invitee.is_some_and(|invitee| state.members.contains_key(&invitee)) {
        return Err(Rejection::AlreadyMember);
    }
    if is_address_invited {
        return Err(Rejection::InvitationPending);
    }
    if state.members.size() >= MEMBERS_MAX {
        return Err(Rejection::OrganizationFull);
    }
    let pending = state.pending.values().filter(|pending| pending.expires_at > at).count();
    if pending >= INVITATIONS_PENDING_MAX {
        return Err(Rejection::TooManyInvitations);
    }
    if let Some(until) = full_until(&state.invited_at, quota, at) {
        return Err(Rejection::InvitesTooOften { seconds: until.since(at).secs().max(1) });
    }
    Ok(())
}

/// Overdue invitations are expired on the way, so that they never stand in the way of a new one (D15).
pub fn decide(state: &Organization, wish: InviteMember) -> Result<Vec<Event>, Rejection> {
    check(state, wish.inviter, wish.invitee, wish.is_address_invited, wish.quota, wish.at)?;
    let InviteMember { inviter, invitation, address, role, nonce, lifetime, at, .. } = wish;
    let expires_at = at + lifetime;
    let mut events = expire_invitations::decide(state, at)?;
    events
        .push(InvitationSent { invitation, address, role, inviter, nonce, expires_at, at }.into());
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::super::{InvitationExpired, MEMBERS_MAX};
    use super::*;
    use crate::testing::given;

    fn wish() -> InviteMember {
        InviteMember {
            inviter: ANN,
            invitee: None,
            is_address_invited: false,
            invitation: SECOND,
            address: sealed("bob@example.com"),
            role: Role::Viewer,
            nonce: LinkNonce::new(7),
            lifetime: LIFETIME,
            quota: Quota::new(0, 1),
            at: NOON,
        }
    }

    #[test]
    fn an_invitation_is_good_for_seven_days() {
        given([created(), joined(ANN, Role::Admin)])
            .when(|state| decide(state, wish()))
            .then([sent(SECOND, NOON)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let rows = [
            (InviteMember { invitee: Some(ANN), ..wish() }, Rejection::InvitesOneself),
            (InviteMember { invitee: Some(BOB), ..wish() }, Rejection::AlreadyMember),
            (InviteMember { is_address_invited: true, ..wish() }, Rejection::InvitationPending),
        ];
        for (wish, why) in rows {
            given([created(), joined(ANN, Role::Admin), joined(BOB, Role::Viewer)])
                .when(|state| decide(state, wish))
                .then_rejected(why);
        }
    }

    #[test]
    fn nobody_is_invited_into_a_full_organization() {
        let members = (0..MEMBERS_MAX as i64).map(|id| joined(UserId::new(100 + id), Role::Viewer));
        given([created()].into_iter().chain(members))
            .when(|state| decide(state, wish()))
            .then_rejected(Rejection::OrganizationFull);
    }

    #[test]
    fn pending_invitations_have_a_limit() {
        let ids = (0..INVITATIONS_PENDING_MAX as u128)
            .map(|id| sent(InvitationId::new(uuid::Uuid::from_u128(1_000 + id)), NOON));
        given([created()].into_iter().chain(ids))
            .when(|state| decide(state, wish()))
            .then_rejected(Rejection::TooManyInvitations);
    }

    #[test]
    fn an_organization_invites_so_many_a_day() {
        let quota = Quota::new(50, 86_400);
        let ids =
            (0..50).map(|id| sent(InvitationId::new(uuid::Uuid::from_u128(1_000 + id)), NOON));
        let past: Vec<Event> = [created()].into_iter().chain(ids).collect();
        let wish =
            |seconds| InviteMember { quota, at: NOON + Lifetime::from_secs(seconds), ..wish() };
        given(past.clone())
            .when(|state| decide(state, wish(60)))
            .then_rejected(Rejection::InvitesTooOften { seconds: 86_340 });
        let at = NOON + Lifetime::from_secs(86_400);
        given(past).when(|state| decide(state, wish(86_400))).then([sent(SECOND, at)]);
    }

    #[test]
    fn overdue_invitations_are_expired_in_the_same_append() {
        let late = NOON + LIFETIME;
        given([created(), sent(FIRST, NOON)])
            .when(|state| decide(state, InviteMember { at: late, ..wish() }))
            .then([InvitationExpired { invitation: FIRST }.into(), sent(SECOND, late)]);
    }
}
