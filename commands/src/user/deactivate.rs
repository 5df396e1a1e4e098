//! Close an account, and open it again: for administrators.

use keynest_domain::user::{User, deactivate};
use keynest_domain::{Event, UserId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

enum Standing {
    Closed(UserId),
    Open(UserId),
}

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
