//! Which access tokens are not good any more: this process knows what ended in the last hour before it lets anybody in,
//! and follows the feed (DESIGN 8).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use keynest_crypto::{ACCESS_TOKEN_LIFETIME, AccessClaims};
use keynest_projections::{Queries, TokenStanding, names};
use keynest_store::{EventStore, Position, ReadError, Recorded, Subscription, decode};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ended_tokens::{self, EndedTokens};
use super::revoked::{Revoked, Verdict, is_ending};
use crate::{App, Problem};

/// After this long without a confirmed head, the session's row is asked.
pub const CONFIRMED_FOR: Duration = Duration::from_secs(1);
/// Between two looks at the head of the log.
const CONFIRM_EVERY: Duration = Duration::from_millis(250);
/// How long an answer waits until what it ended is known here.
const KNOWN_WAIT: Duration = Duration::from_secs(2);
/// How long a start waits for the read model of sessions.
const LOAD_WAIT: Duration = Duration::from_secs(60);
/// Pause after the log could not be read.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;

/// Knows which sessions have ended. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    revoked: RwLock<Revoked>,
    ended_tokens: RwLock<EndedTokens>,
    /// Up to where the feed was followed.
    applied: watch::Sender<Position>,
    /// When everything was known for the last time.
    confirmed: RwLock<Option<Instant>>,
}

impl Revocations {
    /// Loads what ended while the oldest living token was made, then follows the feed until told to stop.
    pub async fn start(&self, app: &App, stop: CancellationToken) -> Result<(), Problem> {
        let store = app.commands.store().clone();
        let head = store.head().await.map_err(|error| Problem::unavailable(&error))?;
        if !app.visibility.wait_for(head, &[names::SESSIONS, names::TOKENS], LOAD_WAIT).await {
            return Err(Problem::new("read_model_behind"));
        }
        let since = app.commands.clock().now() - ACCESS_TOKEN_LIFETIME;
        let ended = app.queries.ended_since(since).await?;
        self.change(|revoked| ended.iter().for_each(|it| revoked.end(it.session, it.ended_at)));
        self.0.applied.send_replace(head);
        self.confirm(Instant::now());
        let follower = self.clone();
        let clock = app.commands.clock().clone();
        let stopped = stop.clone();
        let feed = store.subscribe(head);
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = follower.follow(feed, || clock.now()) => {}
            }
        });
        let watcher = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = watcher.watch_head(store) => {}
            }
        });
        Ok(())
    }

    /// Whether it knows what had happened a moment ago.
    pub fn is_fresh(&self) -> bool {
        let confirmed = *self.0.confirmed.read().unwrap_or_else(PoisonError::into_inner);
        confirmed.is_some_and(|at| at.elapsed() < CONFIRMED_FOR)
    }

    /// Refuses the token of a session that has ended. When the feed is silent, the session's row is asked.
    pub async fn check(&self, queries: &Queries, claims: &AccessClaims) -> Result<(), Problem> {
        let verdict = self.0.revoked.read().unwrap_or_else(PoisonError::into_inner).verdict(claims);
        match verdict {
            Verdict::Ended => return Err(Problem::new("token_not_valid")),
            Verdict::Closed => return Err(Problem::new("user_inactive")),
            Verdict::Good => {}
        }
        if self.is_fresh() {
            return Ok(());
        }
        match queries.session(claims.session).await? {
            Some(session) if session.ended_at.is_none() => Ok(()),
            Some(_) => Err(Problem::new("token_not_valid")),
            None => Err(Problem::new("read_model_behind")),
        }
    }

    /// Whether a personal or service token ended a moment ago; the read model knows the older ones.
    pub fn has_ended(&self, token: &TokenStanding) -> bool {
        self.0.ended_tokens.read().unwrap_or_else(PoisonError::into_inner).has(token)
    }

    /// Waits until everything up to a position is known, so that whoever ended a session sees it ended.
    pub async fn wait_for(&self, position: Option<Position>) {
        let Some(position) = position else { return };
        let mut applied = self.0.applied.subscribe();
        let known = applied.wait_for(|applied| *applied >= position);
        if tokio::time::timeout(KNOWN_WAIT, known).await.is_err() {
            tracing::warn!("ended sessions are known late");
        }
    }

    /// The same for whatever is in the log now.
    pub async fn catch_up(&self, store: &EventStore) {
        match store.head().await {
            Ok(head) => self.wait_for(Some(head)).await,
            Err(error) => tracing::warn!(%error, "the head of the log is not known"),
        }
    }

    async fn follow(&self, mut feed: Subscription, now: impl Fn() -> keynest_domain::Timestamp) {
        loop {
            match feed.next_batch(BATCH_MAX).await {
                Ok(batch) => {
                    self.change(|revoked| {
                        batch.iter().for_each(|event| take(revoked, event));
                        revoked.prune(now());
                    });
                    self.end_tokens(&batch, now());
                    self.0.applied.send_replace(feed.position());
                }
                Err(error) => pause(&error).await,
            }
        }
    }

    /// Nothing comes through a feed that is broken or idle; asking for the head tells the two apart.
    async fn watch_head(&self, store: EventStore) {
        loop {
            let asked = Instant::now();
            match store.head().await {
                Ok(head) => {
                    self.wait_for(Some(head)).await;
                    if *self.0.applied.borrow() >= head {
                        self.confirm(asked);
                    }
                    tokio::time::sleep(CONFIRM_EVERY).await;
                }
                Err(error) => pause(&error).await,
            }
        }
    }

    fn end_tokens(&self, batch: &[Recorded], now: keynest_domain::Timestamp) {
        let mut ended = self.0.ended_tokens.write().unwrap_or_else(PoisonError::into_inner);
        for recorded in batch.iter().filter(|it| ended_tokens::is_ending(&it.name)) {
            match decode(recorded) {
                Ok(event) => ended.take(recorded.stream.id(), &event, recorded.recorded_at),
                Err(error) => {
                    tracing::error!(%error, position = ?recorded.position, "cannot read which token ended: all that it may be");
                    ended.take_unreadable(&recorded.stream, recorded.recorded_at);
                }
            }
        }
        ended.prune(now);
    }

    fn confirm(&self, at: Instant) {
        *self.0.confirmed.write().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    fn change(&self, change: impl FnOnce(&mut Revoked)) {
        change(&mut self.0.revoked.write().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn pause(error: &ReadError) {
    tracing::warn!(%error, "the feed of ended sessions is interrupted");
    tokio::time::sleep(RETRY_PAUSE).await;
}

/// An event that this version cannot read ends all that it may mean: whoever a newer process shut out is shut out here, too.
fn take(revoked: &mut Revoked, recorded: &Recorded) {
    if !is_ending(&recorded.name) {
        return;
    }
    match decode(recorded) {
        Ok(event) => revoked.take(recorded.stream.id(), &event, recorded.recorded_at),
        Err(error) => {
            tracing::error!(%error, position = ?recorded.position, "cannot read who is signed out: all that it may be");
            revoked.take_unreadable(&recorded.stream, recorded.recorded_at);
        }
    }
}
