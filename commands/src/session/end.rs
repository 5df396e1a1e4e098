//! End a session: signed out, or over.

use keynest_domain::session::{EndReason, Session, end};
use keynest_domain::{Event, SessionId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

enum End {
    SignOut(SessionId),
    Expire(SessionId),
}

impl Commands {
    /// Ends the session that a token names; one that has ended stays so.
    pub async fn log_out(
        &self,
        origin: &Origin,
        session: SessionId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &End::SignOut(session)).await
    }

    /// Ends a session whose time is over, for the janitor.
    pub async fn expire_session(
        &self,
        origin: &Origin,
        session: SessionId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &End::Expire(session)).await
    }
}

impl UseCase for End {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (Self::SignOut(id) | Self::Expire(id)) = *self;
        let session = unit.load::<Session>(id).await?;
        let events = match self {
            Self::SignOut(_) => end::decide(&session, EndReason::SignedOut)?,
            Self::Expire(_) => {
                end::expire(&session, &unit.commands().settings().sessions, unit.now())?
            }
        };
        unit.stage::<Session>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
