//! End sessions of one's own: one, or all others.

use keynest_domain::session::{EndReason, Session, end};
use keynest_domain::user::{User, end_other_sessions};
use keynest_domain::{Event, SessionId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct EndOwn(SessionId);
struct EndOthers;

impl Commands {
    /// Ends one session of the caller; another person's is as absent as one that has ended.
    pub async fn end_own_session(
        &self,
        origin: &Origin,
        session: SessionId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &EndOwn(session)).await
    }

    /// Ends every session of the caller but this one.
    pub async fn end_other_sessions(&self, origin: &Origin) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &EndOthers).await
    }
}

impl UseCase for EndOwn {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let actor = unit.actor()?;
        let session = unit.load::<Session>(self.0).await?;
        let user = unit.load::<User>(actor).await?;
        let is_living = session.user == Some(actor)
            && !session.has_ended
            && !session.has_expired(&unit.commands().settings().sessions, unit.now())
            && user.honours(self.0, session.epoch);
        if !is_living {
            return Err(CommandError::Absent("session"));
        }
        unit.stage::<Session>(self.0, end::decide(&session, EndReason::SignedOut)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl UseCase for EndOthers {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let actor = unit.actor()?;
        let user = unit.load::<User>(actor).await?;
        let (kept, at) = (unit.origin().session, unit.now());
        unit.stage::<User>(actor, end_other_sessions::decide(&user, kept, at)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
