//! An admin ends a token of the organization, or a rule.

use keynest_domain::organization::{Organization, end_service};
use keynest_domain::{Event, OrganizationId, Permission, TokenId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EndService {
    Token(OrganizationId, TokenId),
    Trust(OrganizationId, TokenId),
}

impl Commands {
    /// Ends a service, wherever it is just now.
    pub async fn end_service(
        &self,
        origin: &Origin,
        wish: EndService,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for EndService {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (Self::Token(id, _) | Self::Trust(id, _)) = *self;
        unit.authorize(id, Permission::ManageServices).await?;
        let state = unit.load::<Organization>(id).await?;
        let events = match *self {
            Self::Token(_, token) => end_service::token(&state, token)?,
            Self::Trust(_, trust) => end_service::trust(&state, trust)?,
        };
        unit.stage::<Organization>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
