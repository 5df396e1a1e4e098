//! The facts that the rules' tests start from.

use super::invite_member::LIFETIME;
use super::{
    Event, InvitationSent, MemberJoined, OrganizationCreated, OrganizationDeleted, ServiceRole,
    ServiceTokenCreated, TrustCreated,
};
use crate::{
    InvitationId, Lifetime, LinkNonce, OrganizationId, Reach, Role, Sealed, Timestamp, TokenAccess,
    TokenId, TokenScope, UserId,
};

pub(super) const ACME: OrganizationId = OrganizationId::new(1);
pub(super) const ANN: UserId = UserId::new(1);
pub(super) const BOB: UserId = UserId::new(2);
pub(super) const EVE: UserId = UserId::new(3);
pub(super) const FIRST: InvitationId = InvitationId::new(uuid::Uuid::from_u128(1));
pub(super) const SECOND: InvitationId = InvitationId::new(uuid::Uuid::from_u128(2));
pub(super) const NOON: Timestamp = Timestamp::from_micros(43_200_000_000);

pub(super) fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

pub(super) fn created() -> Event {
    let name = sealed("Acme");
    OrganizationCreated {
        organization: ACME,
        name,
        description: None,
        creator: ANN,
        is_personal: false,
    }
    .into()
}

pub(super) fn deleted() -> Event {
    OrganizationDeleted {}.into()
}

pub(super) fn joined(user: UserId, role: Role) -> Event {
    MemberJoined { user, role, at: NOON }.into()
}

pub(super) fn sent(invitation: InvitationId, at: Timestamp) -> Event {
    let address = sealed("bob@example.com");
    let nonce = LinkNonce::new(7);
    let expires_at = at + LIFETIME;
    InvitationSent { invitation, address, role: Role::Viewer, inviter: ANN, nonce, expires_at, at }
        .into()
}

/// Seconds after noon.
pub(super) fn seconds(after: u32) -> Timestamp {
    NOON + Lifetime::from_secs(after)
}

fn everywhere() -> TokenScope {
    TokenScope { access: TokenAccess::Write, reach: Reach::Everywhere }
}

pub(super) fn service_token(id: i64, until: u32) -> ServiceTokenCreated {
    ServiceTokenCreated {
        token: TokenId::new(id),
        name: sealed("deploy"),
        role: ServiceRole::Editor,
        scope: everywhere(),
        ranges: None,
        digest: format!("digest {id}"),
        creator: ANN,
        expires_at: seconds(until),
        at: NOON,
    }
}

pub(super) fn service_trust(id: i64) -> TrustCreated {
    TrustCreated {
        trust: TokenId::new(id),
        name: sealed("actions"),
        issuer: "https://issuer.example".to_owned(),
        conditions: sealed("[]"),
        role: ServiceRole::Viewer,
        scope: everywhere(),
        lifetime_minutes: 15,
        creator: ANN,
        at: NOON,
    }
}
