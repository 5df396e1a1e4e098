//! Turn the mail notices on or off that are not about security.

use keynest_domain::Event;
use keynest_domain::user::{User, switch_notices};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct SwitchNotices {
    wanted: bool,
}

impl Commands {
    /// Switches the caller's notices.
    pub async fn switch_notices(
        &self,
        origin: &Origin,
        wanted: bool,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &SwitchNotices { wanted }).await
    }
}

impl UseCase for SwitchNotices {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        unit.stage::<User>(id, switch_notices::decide(&user, self.wanted)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
