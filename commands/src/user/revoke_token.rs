//! A token ends: for its owner, and, whosesoever it is, for administrators of the instance.

use keynest_domain::organization::{Organization, end_service};
use keynest_domain::user::{User, revoke_token};
use keynest_domain::{Aggregate, Event, OrganizationId, TokenId};

use super::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct RevokeToken(TokenId);

struct AdministerRevocation(TokenId);

impl Commands {
    /// Ends a personal token of the actor.
    pub async fn revoke_token(
        &self,
        origin: &Origin,
        token: TokenId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &RevokeToken(token)).await
    }

    /// Ends any token or rule, for an administrator of the instance.
    pub async fn administer_token_revocation(
        &self,
        origin: &Origin,
        token: TokenId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &AdministerRevocation(token)).await
    }
}

impl UseCase for RevokeToken {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let owner = unit.actor()?;
        let state = unit.load::<User>(owner).await?;
        unit.stage::<User>(owner, revoke_token::decide(&state, self.0)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl UseCase for AdministerRevocation {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_administrator().await?;
        let unknown = || CommandError::Absent("token");
        let stream = unit.resolve(&claims::token(self.0)).await?.ok_or_else(unknown)?;
        if stream.category() == User::CATEGORY {
            let owner = owner_of(&stream)?;
            let state = unit.load::<User>(owner).await?;
            unit.stage::<User>(owner, revoke_token::decide(&state, self.0)?);
            return Ok(());
        }
        let damaged = |_| CommandError::Damaged(stream.to_string());
        let owner: OrganizationId = stream.id().parse().map_err(damaged)?;
        let state = unit.load::<Organization>(owner).await?;
        let service = state.services.get(&self.0).ok_or_else(unknown)?;
        let events = match service.trust() {
            Some(_) => end_service::trust(&state, self.0)?,
            None => end_service::token(&state, self.0)?,
        };
        unit.file_under(owner);
        unit.stage::<Organization>(owner, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
