//! Administer the instance: granted and revoked by its operator, required by what administrators do.

use keynest_domain::user::{User, administrator};
use keynest_domain::{Email, Event, UserId};

use super::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

enum Standing {
    Granted(Email),
    Revoked(Email),
}

impl Commands {
    /// Makes the account with this address an administrator of the instance.
    pub async fn grant_administrator(
        &self,
        origin: &Origin,
        address: Email,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Standing::Granted(address)).await
    }

    /// Takes it back.
    pub async fn revoke_administrator(
        &self,
        origin: &Origin,
        address: Email,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Standing::Revoked(address)).await
    }

    /// For questions that only administrators may ask: reads the log, so that whoever lost it a moment ago is refused.
    pub async fn require_administrator(&self, origin: &Origin) -> Result<UserId, CommandError> {
        Unit::new(self, origin, true).require_administrator().await
    }
}

impl Unit<'_> {
    /// Refuses every actor who does not administer this instance. It gives no membership and opens no value.
    pub async fn require_administrator(&mut self) -> Result<UserId, CommandError> {
        let actor = self.actor()?;
        self.load::<User>(actor).await?.require_administrator()?;
        Ok(actor)
    }
}

impl UseCase for Standing {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (Self::Granted(address) | Self::Revoked(address)) = self;
        let claim = claims::email(unit.commands().keyring(), address);
        let owner = unit.resolve(&claim).await?.ok_or(CommandError::Absent("account"))?;
        let id = owner_of(&owner)?;
        let user = unit.load::<User>(id).await?;
        let events = match self {
            Self::Granted(_) => administrator::grant(&user)?,
            Self::Revoked(_) => administrator::revoke(&user)?,
        };
        unit.stage::<User>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
