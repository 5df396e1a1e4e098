//! Load, decide, append, again on conflict: the same for every use case.

use std::future::Future;
use std::time::Duration;

use keynest_domain::{CommandId, Event, StreamName};
use keynest_store::{AppendError, Conflict, Position};

use crate::unit::decode_any;
use crate::{CommandError, Commands, Origin, Unit};

/// Tries before `busy` (DESIGN 4).
pub const ATTEMPTS_MAX: u32 = 8;

/// One thing that somebody wants done.
pub trait UseCase: Send + Sync {
    /// What the caller learns, read from the appended events, so that a repeat hears the same.
    type Outcome: Send;

    /// Loads, authorises, decides and stages. May run several times.
    fn attempt(&self, unit: &mut Unit<'_>)
    -> impl Future<Output = Result<(), CommandError>> + Send;

    /// Reads the outcome from the events of the append; none when the wish was already true.
    fn outcome(&self, events: &[Event]) -> Self::Outcome;
}

/// What a use case did.
#[derive(Clone, Debug)]
pub struct Executed<T> {
    /// Where its last event stands; `None` when nothing had to change.
    pub position: Option<Position>,
    /// What the caller learns.
    pub outcome: T,
}

/// How long to stand back after a conflict. Those of this process take turns; other processes are met again and again,
/// unless everybody waits for another while. None at first, then up to 2 to the power of the attempt in milliseconds.
fn pause(command: CommandId, attempt: u32) -> Duration {
    const PATIENT: u32 = 2;
    if attempt < PATIENT {
        return Duration::ZERO;
    }
    // The last bytes of an id are random, and the command's own.
    let random = command.get().as_bytes()[8 + attempt as usize % 8];
    Duration::from_millis(1 << attempt.min(ATTEMPTS_MAX)) * u32::from(random) / u32::from(u8::MAX)
}

impl Commands {
    /// Runs a use case to its end: done, already true, or refused.
    pub async fn execute<U: UseCase>(
        &self,
        origin: &Origin,
        case: &U,
    ) -> Result<Executed<U::Outcome>, CommandError> {
        if let Some(command) = origin.command.filter(|command| command.is_repeat)
            && let Some(executed) = self.repeated(command.id, case).await?
        {
            return Ok(executed);
        }
        let command_id =
            origin.command.map_or_else(|| self.clock().command_id(), |command| command.id);
        let mut is_fresh = false;
        let mut turn = None;
        let mut attempt = 0;
        while attempt < ATTEMPTS_MAX {
            let mut unit = Unit::new(self, origin, is_fresh);
            let decided = case.attempt(&mut unit).await.and_then(|()| unit.require_authorized());
            let is_doubtful = unit.has_cached_reads();
            match decided {
                // A cached state may be stale: such a refusal is made again after reading the streams' tails.
                Err(error) if is_doubtful && error.is_decision() => is_fresh = true,
                // Another try of the same command may have ended meanwhile, and stand in the way of this one.
                Err(error) if origin.command.is_some() && error.is_decision() => {
                    return self.repeated(command_id, case).await?.ok_or(error);
                }
                Err(error) => return Err(error),
                Ok(()) if unit.is_empty() && is_doubtful => is_fresh = true,
                Ok(()) if unit.is_empty() => {
                    return Ok(Executed { position: None, outcome: case.outcome(&[]) });
                }
                Ok(())
                    if turn.is_none()
                        && let Some(stream) = self.contended(&unit) =>
                {
                    turn = Some(self.turns().take(&stream).await);
                    continue;
                }
                Ok(()) => match self.append(unit, command_id, case).await? {
                    Ok(executed) => return Ok(executed),
                    Err(conflict) => {
                        is_fresh = true;
                        // One turn at a time: whoever holds one and waits for another could wait for ever.
                        drop(turn.take());
                        if let Conflict::Revision { stream, .. } = conflict {
                            turn = Some(self.turns().take(&stream).await);
                        }
                        tokio::time::sleep(pause(command_id, attempt)).await;
                    }
                },
            }
            attempt += 1;
        }
        Err(CommandError::Busy("conflicts"))
    }

    /// A stream of this try on which others take turns.
    fn contended(&self, unit: &Unit<'_>) -> Option<StreamName> {
        unit.written().find(|stream| self.turns().is_taken(stream)).cloned()
    }

    /// Appends what was staged, or says what stood in the way.
    async fn append<U: UseCase>(
        &self,
        unit: Unit<'_>,
        command_id: CommandId,
        case: &U,
    ) -> Result<Result<Executed<U::Outcome>, Conflict>, CommandError> {
        let append = unit.to_append(command_id).await?;
        match self.store().append(append).await {
            Ok(appended) if appended.is_repeat => {
                unit.forget();
                let repeated = self.repeated(command_id, case).await?;
                repeated.map(Ok).ok_or(CommandError::Damaged(command_id.to_string()))
            }
            Ok(appended) => {
                let events: Vec<Event> = unit.staged().cloned().collect();
                unit.remember();
                self.destroy_announced(&events).await;
                let outcome = case.outcome(&events);
                Ok(Ok(Executed { position: Some(appended.position), outcome }))
            }
            Err(AppendError::Conflict(conflict)) => {
                tracing::debug!(%conflict, "append conflicts, deciding again");
                Ok(Err(conflict))
            }
            Err(AppendError::Busy) => Err(CommandError::Busy("append queue")),
            Err(error) => {
                unit.forget();
                Err(CommandError::Append(error))
            }
        }
    }

    async fn repeated<U: UseCase>(
        &self,
        command: CommandId,
        case: &U,
    ) -> Result<Option<Executed<U::Outcome>>, CommandError> {
        let Some(appended) = self.store().lookup(command).await? else { return Ok(None) };
        let recorded = self.store().read_appended(&appended).await?;
        let events = recorded.iter().map(decode_any).collect::<Result<Vec<Event>, _>>()?;
        Ok(Some(Executed { position: Some(appended.position), outcome: case.outcome(&events) }))
    }
}
