//! Hearing of other processes' appends: a notification as a hint, polling in any case.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::committer::News;
use super::options::StoreOptions;
use super::silence::{answered, hear};
use super::{raise_head, read};
use crate::port::Position;

/// The channel that `append_batch` notifies.
const CHANNEL: &str = "keynest_log";
/// The pause before listening again, and the most it grows to.
const RELISTEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Ends its tasks when it is dropped.
#[derive(Debug)]
pub(super) struct Follower(Vec<AbortHandle>);

impl Follower {
    pub(super) fn start(pool: &PgPool, options: &StoreOptions, news: &News) -> Self {
        let polling = tokio::spawn(poll(pool.clone(), options.clone(), news.head.clone()));
        let mut tasks = vec![polling.abort_handle()];
        if options.is_listening {
            tasks.push(
                tokio::spawn(listen(pool.clone(), options.clone(), news.clone())).abort_handle(),
            );
        }
        Self(tasks)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn poll(pool: PgPool, options: StoreOptions, head: watch::Sender<Position>) {
    loop {
        sleep(options.poll_interval).await;
        // Nobody to tell: no load on the database. A failure is a caller's to see; the next turn comes anyway.
        if head.receiver_count() > 0
            && let Ok(position) = answered(options.answer_max(), read::head(&pool)).await
        {
            raise_head(&head, position);
        }
    }
}

async fn listen(pool: PgPool, options: StoreOptions, news: News) {
    let mut pause = RELISTEN.0;
    loop {
        if let Err(error) = listen_once(&pool, &options, &news, &mut pause).await {
            tracing::warn!(error = %error, "the listener of the event store was lost; polling goes on");
        }
        sleep(pause).await;
        pause = (pause * 2).min(RELISTEN.1);
    }
}

/// Until the connection is lost.
async fn listen_once(
    pool: &PgPool,
    options: &StoreOptions,
    news: &News,
    pause: &mut Duration,
) -> Result<(), sqlx::Error> {
    // A connection of its own, so that callers never wait for one because of it.
    let own = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(RELISTEN.1)
        .connect_lazy_with((*pool.connect_options()).clone());
    let mut listener = PgListener::connect_with(&own).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    *pause = RELISTEN.0;
    // What was appended before the first notification could be heard.
    raise_head(&news.head, answered(options.answer_max(), read::head(pool)).await?);
    while let Some(notification) = hear(&mut listener, options.silence_max).await? {
        // The committer tells of its own batches, together with their events: nobody shall go and read them.
        if notification.process_id() != news.appender.load(Ordering::Relaxed)
            && let Ok(position) = notification.payload().parse()
        {
            raise_head(&news.head, Position::from_stored(position));
        }
    }
    Ok(())
}
