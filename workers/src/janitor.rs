//! Tidies up on a clock: expired invitations and sessions by commands, bookkeeping rows by deletes (DESIGN 7).

use std::time::Duration;

use keynest_commands::{Commands, Origin};
use keynest_domain::Lifetime;
use keynest_projections::Queries;
use keynest_store::IdempotencyTable;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::effects::Effects;

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
    settings: JanitorSettings,
}

/// One step that failed; the next round tries again.
#[derive(Debug, thiserror::Error)]
enum JanitorError {
    #[error(transparent)]
    Command(#[from] keynest_commands::CommandError),
    #[error(transparent)]
    Query(#[from] keynest_projections::QueryError),
    #[error("prune the effects table")]
    Effects(#[from] sqlx::Error),
    #[error("prune the idempotency table")]
    Idempotency(#[source] keynest_store::ReadError),
}

impl Default for JanitorSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            batch: 500,
            idempotency: Lifetime::from_hours(24),
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
        Self { commands, queries, idempotency, effects: Effects::new(pool), settings }
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

    /// One round; a step that fails does not hold up the others.
    pub async fn round(&self) {
        report("flush refusals", self.commands.flush_refusals().await.map_err(JanitorError::from));
        report("expire invitations", self.expire_invitations().await);
        report("end expired sessions", self.end_sessions().await);
        report("prune", self.prune().await);
    }

    async fn expire_invitations(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        let mut expired: Vec<_> = self
            .queries
            .expired_invitations(now, self.settings.batch)
            .await?
            .into_iter()
            .map(|(org, _)| org)
            .collect();
        expired.dedup();
        for organization in expired {
            self.commands.expire_invitations(&self.origin(), organization).await?;
        }
        Ok(())
    }

    async fn end_sessions(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        for session in self.queries.expired_sessions(now, self.settings.batch).await? {
            self.commands.expire_session(&self.origin(), session).await?;
        }
        Ok(())
    }

    async fn prune(&self) -> Result<(), JanitorError> {
        let now = self.commands.clock().now();
        self.effects.prune(now - self.settings.effects).await?;
        let before = now - self.settings.idempotency;
        self.idempotency
            .prune(before, self.settings.batch as usize)
            .await
            .map_err(JanitorError::Idempotency)?;
        Ok(())
    }

    fn origin(&self) -> Origin {
        Origin::product(self.commands.clock().request_id())
    }
}

fn report(step: &'static str, done: Result<(), JanitorError>) {
    if let Err(error) = done {
        tracing::warn!(step, error = &error as &dyn std::error::Error, "janitor step failed");
    }
}
