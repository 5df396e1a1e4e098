//! Known devices: a person's network with a sign-in in the last 30 days (DESIGN 8). Failures from there count on a
//! stream of their own, so that strangers cannot lock the owner out, and the owner's network is no way around the lock.

use keynest_domain::session::{ABSOLUTE, Session};
use keynest_domain::user::{User, notice_device as noticing};
use keynest_domain::{Aggregate, Email, Lifetime, LoginId, SessionId, UserId};

use super::{NOBODY, login_id};
use crate::{CommandError, Commands, Origin, Unit, claims};

/// How long a network is known after a session there was last used, where the configuration does not say.
pub const KNOWN_FOR: Lifetime = ABSOLUTE;

/// Remembers the caller's network, and notes a sign-in from one that this person was not seen in lately.
pub(crate) async fn notice_device(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
) -> Result<(), CommandError> {
    let Some(network) = unit.origin().network() else { return Ok(()) };
    if !unit.commands().is_known_network(user, &network).await? {
        let state = unit.load::<User>(user).await?;
        let at = unit.now();
        unit.stage::<User>(user, noticing::decide(&state, session, at));
    }
    claim_device(unit, user, session);
    Ok(())
}

/// Remembers the caller's network as one of this person, through this session.
pub(crate) fn claim_device(unit: &mut Unit<'_>, user: UserId, session: SessionId) {
    let Some(network) = unit.origin().network() else { return };
    let claim = claims::device(unit.commands().keyring(), user, &network);
    unit.release(claim.clone());
    unit.claim(claim, Session::stream(session));
}

impl Commands {
    /// The stream that counts failures: the address's own, or one for this network if the owner is known there.
    pub(super) async fn counting_stream(
        &self,
        origin: &Origin,
        address: &Email,
        user: Option<UserId>,
    ) -> Result<LoginId, CommandError> {
        let Some(network) = origin.network() else { return Ok(self.keyring().login_id(address)) };
        if !self.is_known_network(user.unwrap_or(NOBODY), &network).await? {
            return Ok(self.keyring().login_id(address));
        }
        Ok(login_id(self.keyring(), "login-device", &format!("{} {network}", address.as_str())))
    }

    async fn is_known_network(&self, user: UserId, network: &str) -> Result<bool, CommandError> {
        let claim = claims::device(self.keyring(), user, network);
        let Some((stream, _)) = self.store().resolve(&claim).await? else { return Ok(false) };
        let Ok(id) = stream.id().parse::<SessionId>() else { return Ok(false) };
        let session = self.read::<Session>(id).await?;
        let known_for = self.settings().known_network;
        let is_recent =
            session.last_used_at.is_some_and(|last| self.clock().now() < last + known_for);
        Ok(session.user == Some(user) && is_recent)
    }
}
