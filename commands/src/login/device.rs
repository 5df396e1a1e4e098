//! Known devices: a person's network with a sign-in in the last 30 days (DESIGN 8). Failures from there count on a
//! stream of their own, so that strangers cannot lock the owner out, and the owner's network is no way around the lock.

use keynest_domain::session::{ABSOLUTE, Session};
use keynest_domain::user::{User, notice_device as noticing};
use keynest_domain::{Aggregate, Email, Lifetime, LoginId, SessionId, UserId};
use uuid::Uuid;

use super::{NOBODY, login_id};
use crate::{CommandError, Commands, Origin, Unit, claims};

/// How long a network is known after a session there was last used, where the configuration does not say.
pub const KNOWN_FOR: Lifetime = ABSOLUTE;
/// No session's id, so that an unknown place costs the same reads as a known one.
const NO_SESSION: SessionId = SessionId::new(Uuid::nil());

/// Remembers where the caller is, and notes a sign-in from a network that this person was not seen in lately.
pub(crate) async fn notice_device(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
) -> Result<(), CommandError> {
    let Some(network) = unit.origin().places().pop() else { return Ok(()) };
    if !unit.commands().is_known_place(user, &network).await? {
        let state = unit.load::<User>(user).await?;
        let at = unit.now();
        unit.stage::<User>(user, noticing::decide(&state, session, at));
    }
    claim_device(unit, user, session);
    Ok(())
}

/// Remembers the caller's network and, closer, its address as one of this person, through this session.
pub(crate) fn claim_device(unit: &mut Unit<'_>, user: UserId, session: SessionId) {
    for place in unit.origin().places() {
        let claim = claims::device(unit.commands().keyring(), user, &place);
        unit.release(claim.clone());
        unit.claim(claim, Session::stream(session));
    }
}

impl Commands {
    /// The stream that counts failures: the address's own, or one for the closest place where the owner is known. So
    /// strangers cannot lock the owner out, nor can somebody else in the owner's network. All places are looked at in
    /// any case, so that it costs the same for everybody.
    pub(super) async fn counting_stream(
        &self,
        origin: &Origin,
        address: &Email,
        user: Option<UserId>,
    ) -> Result<LoginId, CommandError> {
        let mut closest = None;
        for place in origin.places() {
            let is_known = self.is_known_place(user.unwrap_or(NOBODY), &place).await?;
            if is_known && closest.is_none() {
                closest = Some(place);
            }
        }
        let Some(place) = closest else { return Ok(self.keyring().login_id(address)) };
        Ok(login_id(self.keyring(), "login-device", &format!("{} {place}", address.as_str())))
    }

    async fn is_known_place(&self, user: UserId, place: &str) -> Result<bool, CommandError> {
        let claim = claims::device(self.keyring(), user, place);
        let holder = self.store().resolve(&claim).await?;
        let id = holder.and_then(|(stream, _)| stream.id().parse().ok()).unwrap_or(NO_SESSION);
        let session = self.read::<Session>(id).await?;
        let known_for = self.settings().known_network;
        let is_recent =
            session.last_used_at.is_some_and(|last| self.clock().now() < last + known_for);
        Ok(session.user == Some(user) && is_recent)
    }
}
