//! Take away a copy of everything that is kept about oneself: recorded before it is given.

use keynest_domain::Event;
use keynest_domain::user::{User, export};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct Export;

impl Commands {
    /// Records that the caller takes a copy; asks for a fresh authentication.
    pub async fn export_own_data(&self, origin: &Origin) -> Result<Executed<()>, CommandError> {
        self.execute(&origin.once(), &Export).await
    }
}

impl UseCase for Export {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        user.require_active()?;
        unit.require_fresh_sign_in().await?;
        let events = export::decide(&user, unit.now())?;
        unit.stage::<User>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
