//! A token ends: for its owner, and, whosesoever it is, for administrators of the instance.

use keynest_domain::organization::{Organization, end_service};
use keynest_domain::user::{User, revoke_token};
use keynest_domain::{Aggregate, Event, OrganizationId, TokenId};

use super::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct RevokeToken(TokenId);

/// Of any token or rule.
struct AnyRevocation {
    token: TokenId,
    /// Whoever runs the machine needs no account.
    by_operator: bool,
}

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
        self.execute(origin, &AnyRevocation { token, by_operator: false }).await
    }

    /// Ends any token, for whoever runs the machine.
    pub async fn operate_token_revocation(
        &self,
        origin: &Origin,
        token: TokenId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &AnyRevocation { token, by_operator: true }).await
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

impl UseCase for AnyRevocation {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        if !self.by_operator {
            unit.require_administrator().await?;
        }
        let unknown = || CommandError::Absent("token");
        let stream = unit.resolve(&claims::token(self.token)).await?.ok_or_else(unknown)?;
        if stream.category() == User::CATEGORY {
            let owner = owner_of(&stream)?;
            let state = unit.load::<User>(owner).await?;
            unit.stage::<User>(owner, revoke_token::decide(&state, self.token)?);
            return Ok(());
        }
        let damaged = |_| CommandError::Damaged(stream.to_string());
        let owner: OrganizationId = stream.id().parse().map_err(damaged)?;
        let state = unit.load::<Organization>(owner).await?;
        let service = state.services.get(&self.token).ok_or_else(unknown)?;
        let events = match service.trust() {
            Some(_) => end_service::trust(&state, self.token)?,
            None => end_service::token(&state, self.token)?,
        };
        unit.file_under(owner);
        unit.stage::<Organization>(owner, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
