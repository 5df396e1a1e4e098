//! Close an account, and open it again: for administrators.

use keynest_domain::user::{Rejection, User, deactivate};
use keynest_domain::{Event, UserId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

enum Standing {
    Closed(UserId),
    Open(UserId),
}

/// The same wish of an administrator of the instance, not of the operator at the machine.
struct ByAdministrator(Standing);

impl Commands {
    /// Closes an account; every session ends.
    pub async fn deactivate_user(
        &self,
        origin: &Origin,
        user: UserId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Standing::Closed(user)).await
    }

    /// Opens a closed account; old sessions stay dead.
    pub async fn reactivate_user(
        &self,
        origin: &Origin,
        user: UserId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Standing::Open(user)).await
    }

    /// Closes the caller's own account; only an administrator opens it again. Asks for a fresh authentication.
    pub async fn deactivate_own_account(
        &self,
        origin: &Origin,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(&origin.once(), &Own).await
    }

    /// Closes an account for an administrator of the instance.
    pub async fn administer_deactivation(
        &self,
        origin: &Origin,
        user: UserId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ByAdministrator(Standing::Closed(user))).await
    }

    /// Opens a closed account for an administrator of the instance.
    pub async fn administer_reactivation(
        &self,
        origin: &Origin,
        user: UserId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ByAdministrator(Standing::Open(user))).await
    }
}

impl UseCase for Standing {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (Self::Closed(id) | Self::Open(id)) = *self;
        let user = unit.load::<User>(id).await?;
        let events = match self {
            Self::Closed(_) => deactivate::deactivate(&user)?,
            Self::Open(_) => deactivate::reactivate(&user)?,
        };
        unit.stage::<User>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

struct Own;

impl UseCase for Own {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        user.require_active()?;
        unit.require_fresh_sign_in().await?;
        if user.is_administrator {
            return Err(Rejection::OwnAccount.into());
        }
        unit.stage::<User>(id, deactivate::deactivate(&user)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl UseCase for ByAdministrator {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let actor = unit.require_administrator().await?;
        if matches!(self.0, Standing::Closed(id) if id == actor) {
            return Err(Rejection::OwnAccount.into());
        }
        self.0.attempt(unit).await
    }

    fn outcome(&self, _: &[Event]) {}
}
