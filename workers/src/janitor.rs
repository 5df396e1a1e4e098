//! Tidies up on a clock: expired invitations and sessions by commands, bookkeeping rows by deletes (DESIGN 7).

use std::collections::BTreeSet;
use std::time::Duration;

use keynest_commands::{CommandError, Commands, Origin};
use keynest_crypto::KeyringError;
use keynest_domain::{Lifetime, Timestamp, organization};
use keynest_projections::{Queries, QueryError};
use keynest_store::{IDEMPOTENCY_LIFETIME, IdempotencyTable, ReadError};
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::destroyed_keys::{self, DestroyedKeysError};
use crate::effects::Effects;
use crate::key_ledger::KeyLedger;

/// Batches of bookkeeping rows that one round deletes at most.
const PRUNES_MAX: u32 = 100;

/// How often, and how long bookkeeping is kept.
#[derive(Clone, Debug)]
pub struct JanitorSettings {
    /// Between two rounds.
    pub interval: Duration,
    /// Things settled in one round, at most of each kind.
    pub batch: u32,
    /// How long an idempotency key is remembered.
    pub idempotency: Lifetime,
    /// How long an effect is remembered; longer than all retries of one piece of work together.
    pub effects: Lifetime,
}

/// The clock-driven reactor. Safe to run in several processes: every step may be done twice.
pub struct Janitor {
    commands: Commands,
    queries: Queries,
    idempotency: IdempotencyTable,
    effects: Effects,
    pool: PgPool,
    settings: JanitorSettings,
    ledger: Option<KeyLedger>,
    /// Up to where the ledger has the destroyed keys.
    noted: Mutex<Timestamp>,
}

/// One step that failed; the next round tries again.
#[derive(Debug, thiserror::Error)]
enum JanitorError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("prune the effects table")]
    Effects(#[source] sqlx::Error),
    #[error("prune the idempotency table")]
    Idempotency(#[source] ReadError),
    #[error(transparent)]
    DestroyedKeys(#[from] DestroyedKeysError),
    #[error("destroy retired service keys")]
    ServiceKeys(#[source] KeyringError),
}

impl Default for JanitorSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            batch: 500,
            idempotency: IDEMPOTENCY_LIFETIME,
            effects: Lifetime::from_days(30),
        }
    }
}

impl Janitor {
    /// Puts the janitor together; `pool` is the durable one.
    pub fn new(
        commands: Commands,
        queries: Queries,
        idempotency: IdempotencyTable,
        pool: PgPool,
        settings: JanitorSettings,
    ) -> Self {
        let noted = Mutex::new(Timestamp::from_micros(0));
        let (effects, ledger) = (Effects::new(pool.clone()), None);
        Self { commands, queries, idempotency, effects, pool, settings, ledger, noted }
    }

    /// Keeps a ledger of destroyed keys too.
    #[must_use]
    pub fn with_ledger(self, ledger: KeyLedger) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// Rounds until it is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(self.settings.interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => self.round().await,
            }
        }
    }

    /// One round; a step that fails does not hold up the others. With a wrong clock everything would be over.
    pub async fn round(&self) {
        report("flush refusals", self.commands.flush_refusals().await.map_err(JanitorError::from));
        if self.commands.clock().is_wrong() {
            tracing::warn!("the clock is not the database's: the janitor rests");
            return;
        }
        report("expire invitations", self.expire_invitations().await);
        report("end expired sessions", self.end_sessions().await);
        report("prune effects", self.prune_effects().await);
        report("prune idempotency", self.prune_idempotency().await);
        report("destroy day keys", self.destroy_day_keys().await);
        report("take erased people out of teams", self.remove_erased().await);
        report("announce destroyed keys", self.announce_destroyed_keys().await);
        report("keep the ledger of destroyed keys", self.keep_ledger().await);
        report("destroy service keys", self.destroy_service_keys().await);
    }

    async fn expire_invitations(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        let expired = self.queries.expired_invitations(now, self.settings.batch).await?;
        let organizations: BTreeSet<_> =
            expired.into_iter().map(|(organization, _)| organization).collect();
        let mut failed = Ok(());
        for organization in organizations {
            let done = self.commands.expire_invitations(&self.origin(), organization).await;
            failed = failed.and(done.map(drop));
        }
        Ok(failed?)
    }

    async fn end_sessions(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        let mut failed = Ok(());
        let lifetimes = &self.commands.settings().sessions;
        let expired = self.queries.expired_sessions(lifetimes, now, self.settings.batch).await?;
        for session in expired {
            let done = self.commands.expire_session(&self.origin(), session).await;
            failed = failed.and(done.map(drop));
        }
        Ok(failed?)
    }

    async fn prune_effects(&self) -> Result<(), JanitorError> {
        let before = self.commands.clock().now() - self.settings.effects;
        for _ in 0..PRUNES_MAX {
            let pruned = self.effects.prune(before, self.settings.batch).await;
            if pruned.map_err(JanitorError::Effects)? < u64::from(self.settings.batch) {
                break;
            }
        }
        Ok(())
    }

    async fn prune_idempotency(&self) -> Result<(), JanitorError> {
        let before = self.commands.clock().now() - self.settings.idempotency;
        for _ in 0..PRUNES_MAX {
            let pruned = self.idempotency.prune(before, self.settings.batch as usize).await;
            if pruned.map_err(JanitorError::Idempotency)? < u64::from(self.settings.batch) {
                break;
            }
        }
        Ok(())
    }

    async fn destroy_day_keys(&self) -> Result<(), JanitorError> {
        destroyed_keys::destroy_old(&self.pool, &self.commands, self.settings.batch).await?;
        destroyed_keys::destroy_unsent(&self.pool, &self.commands, self.settings.batch).await?;
        Ok(())
    }

    /// A team that would be without an admin keeps its place for them; nobody signs in to it.
    async fn remove_erased(&self) -> Result<(), JanitorError> {
        for (organization, user) in self.queries.erased_members(self.settings.batch).await? {
            match self.commands.remove_erased(&self.origin(), organization, user).await {
                Ok(_) | Err(CommandError::Organization(organization::Rejection::LastAdmin)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn announce_destroyed_keys(&self) -> Result<(), JanitorError> {
        destroyed_keys::announce(&self.pool, &self.commands).await?;
        Ok(())
    }

    async fn keep_ledger(&self) -> Result<(), JanitorError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let now = self.commands.clock().now();
        let mut since = self.noted.lock().await;
        destroyed_keys::note_in_ledger(&self.pool, ledger, &mut since, now).await?;
        Ok(())
    }

    async fn destroy_service_keys(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        let destroyed = self.commands.keyring().destroy_retired(now).await;
        destroyed.map(drop).map_err(JanitorError::ServiceKeys)
    }

    fn origin(&self) -> Origin {
        Origin::product(self.commands.clock().request_id())
    }
}

fn report(step: &'static str, done: Result<(), JanitorError>) {
    if let Err(error) = done {
        metrics::counter!("keynest_janitor_failures_total", "step" => step).increment(1);
        tracing::warn!(step, error = &error as &dyn std::error::Error, "janitor step failed");
    }
}
