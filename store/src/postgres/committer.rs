//! The group committer: takes whatever queued while the previous commit was in flight and sends it as one call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::batch::{Committed, append_batch};
use super::fault::{Fault, unavailable};
use super::handover::Handover;
use super::options::*;
use super::silence::unanswered;
use crate::admission::Admitted;
use crate::port::*;

type Answer = Result<Appended, AppendError>;

/// The way into the queue. The committer ends when the last one is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    requests: mpsc::Sender<Queued>,
    bytes: Arc<Semaphore>,
}

#[derive(Debug)]
struct Queued {
    request: Admitted,
    answer: oneshot::Sender<Answer>,
    /// Room in the queue, given back with the answer.
    _bytes: OwnedSemaphorePermit,
}

/// The task behind the queue.
struct Committer {
    connect: Arc<PgConnectOptions>,
    options: StoreOptions,
    /// Kept between batches: no ping, no way through the pool.
    connection: Option<PgConnection>,
    news: News,
    /// The last batch did not get through; the next one is tried once only, so that the queue does not pile up.
    is_down: bool,
}

/// Where the subscribers of this process hear what it has committed.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub handover: Arc<Handover>,
    pub head: watch::Sender<Position>,
    /// The server process that appends for this one; its notifications say nothing new.
    pub appender: Arc<AtomicU32>,
}

impl Queue {
    /// Starts the task.
    pub(super) fn start(
        connect: Arc<PgConnectOptions>,
        options: &StoreOptions,
        news: News,
    ) -> Self {
        let (requests, queue) = mpsc::channel(options.queue_requests.max(1));
        let bytes = Arc::new(Semaphore::new(options.queue_bytes as usize));
        let committer =
            Committer { connect, options: options.clone(), connection: None, news, is_down: false };
        tokio::spawn(committer.run(queue));
        Self { requests, bytes }
    }

    /// Waits for the commit. Once this is called, dropping the future does not take the request back.
    pub(super) async fn append(&self, request: Admitted) -> Answer {
        let room = u32::try_from(request.bytes).unwrap_or(u32::MAX);
        let bytes =
            Arc::clone(&self.bytes).try_acquire_many_owned(room).map_err(|_| AppendError::Busy)?;
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(Queued { request, answer, _bytes: bytes }).map_err(|error| {
            match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Busy,
                mpsc::error::TrySendError::Closed(_) => unavailable(sqlx::Error::WorkerCrashed),
            }
        })?;
        answered.await.unwrap_or_else(|_| Err(unavailable(sqlx::Error::WorkerCrashed)))
    }
}

impl Committer {
    async fn run(mut self, mut queue: mpsc::Receiver<Queued>) {
        let mut held = None;
        loop {
            let first = match held.take() {
                Some(queued) => queued,
                None => match queue.recv().await {
                    Some(queued) => queued,
                    None => return,
                },
            };
            let batch = gather(&self.options, first, &mut queue, &mut held);
            self.commit(batch).await;
        }
    }

    /// Sends a batch; one that the server refuses is halved until the culprit stands alone.
    async fn commit(&mut self, batch: Vec<Queued>) {
        let mut parts = VecDeque::from([batch]);
        while let Some(mut part) = parts.pop_front() {
            let appends: Vec<&Append> = part.iter().map(|queued| &queued.request.append).collect();
            match self.send(&appends).await {
                Ok(answers) => {
                    for (queued, answer) in part.into_iter().zip(answers) {
                        // The caller may have gone; the event stands all the same.
                        let _ = queued.answer.send(answer.map_err(AppendError::Conflict));
                    }
                }
                Err(Fault::Batch(_)) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.push_front(second);
                    parts.push_front(part);
                }
                Err(Fault::Batch(error) | Fault::Again(error)) => refuse(part, error),
            }
        }
    }

    /// Sends the same batch until it is answered, for a bounded time.
    async fn send(
        &mut self,
        appends: &[&Append],
    ) -> Result<Vec<Result<Appended, Conflict>>, Fault> {
        let started = Instant::now();
        let mut pause = self.options.resend_pause;
        let mut abandoned = Vec::new();
        loop {
            let attempt = new_attempt();
            match self.attempt(attempt, &abandoned, appends).await {
                Ok(Committed { answers, events, head }) => {
                    self.is_down = false;
                    self.news.handover.publish(events);
                    super::raise_head(&self.news.head, head);
                    return Ok(answers);
                }
                Err(fault @ Fault::Batch(_)) => return Err(fault),
                Err(Fault::Again(error)) => {
                    self.connection = None;
                    abandoned.push(attempt);
                    let is_late = started.elapsed() + pause > self.options.resend_for;
                    if self.is_down || is_late {
                        self.is_down = true;
                        return Err(Fault::Again(error));
                    }
                    sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    async fn attempt(
        &mut self,
        attempt: Uuid,
        abandoned: &[Uuid],
        appends: &[&Append],
    ) -> Result<Committed, Fault> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let connecting = timeout(self.options.acquire_timeout, connect(&self.connect));
                let connected = connecting.await.map_err(|_| Fault::Again(unanswered()))?;
                let (connection, process) = connected.map_err(Fault::Again)?;
                self.news.appender.store(process, Ordering::Relaxed);
                none.insert(connection)
            }
        };
        let call = async {
            abandon(connection, abandoned).await?;
            append_batch(connection, attempt, appends).await
        };
        // The server has its own timeout; this one is for a server that cannot be heard any more.
        let answered = timeout(self.options.statement_timeout + ANSWER_GRACE, call).await;
        answered.map_err(|_| Fault::Again(unanswered()))??.ok_or_else(|| {
            Fault::Again(sqlx::Error::Protocol("append_batch refused a fresh attempt".to_owned()))
        })
    }
}

/// A connection and the server process behind it.
async fn connect(options: &PgConnectOptions) -> Result<(PgConnection, u32), sqlx::Error> {
    let mut connection = options.connect().await?;
    let process: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
    Ok((connection, process.unsigned_abs()))
}

/// Forbids earlier sendings of a batch to run: they may still wait for their turn on the server, and a request that is
/// answered with a conflict now must not come true later.
async fn abandon(connection: &mut PgConnection, attempts: &[Uuid]) -> Result<(), sqlx::Error> {
    if attempts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with outdated as (delete from store.abandoned where at < clock_timestamp() - interval '1 hour') \
         insert into store.abandoned (attempt, at) select unnest($1::uuid[]), clock_timestamp() on conflict do nothing",
    )
    .bind(attempts)
    .execute(connection)
    .await
    .map(drop)
}

/// The first request and what else is there already, up to the limits of a batch. What does not fit is held for the next.
fn gather(
    options: &StoreOptions,
    first: Queued,
    queue: &mut mpsc::Receiver<Queued>,
    held: &mut Option<Queued>,
) -> Vec<Queued> {
    let (mut events, mut bytes) = (first.request.events, first.request.bytes);
    let mut batch = vec![first];
    while batch.len() < options.batch_requests
        && let Ok(next) = queue.try_recv()
    {
        events += next.request.events;
        bytes += next.request.bytes;
        if events > options.batch_events || bytes > options.batch_bytes {
            *held = Some(next);
            break;
        }
        batch.push(next);
    }
    batch
}

fn refuse(part: Vec<Queued>, error: sqlx::Error) {
    let source = Arc::new(error);
    for queued in part {
        let _ = queued.answer.send(Err(AppendError::Unavailable(source.clone())));
    }
}

#[expect(clippy::disallowed_methods, reason = "names a sending, is never stored with an event")]
fn new_attempt() -> Uuid {
    Uuid::new_v4()
}
