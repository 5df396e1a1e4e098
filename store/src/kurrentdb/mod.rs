//! The log in a KurrentDB cluster (docs/decisions/0135): appends as atomic multi-stream appends with checks, claims as
//! reservation streams, positions that are not dense.

mod address;
mod append;
mod beside;
mod calls;
mod claims;
mod command;
mod connection;
mod follow;
mod names;
mod options;
mod read;
mod record;
mod refusal;

use std::sync::Arc;

use keynest_eventstore_protocol::v2::AppendRecordsRequest;
use keynest_eventstore_protocol::v2::ConsistencyCheck;
use keynest_eventstore_protocol::v2::consistency_check::{StreamStateCheck, Type};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};
use tonic::Status;
use uuid::Uuid;

pub use address::{AddressError, KurrentAddress};
pub use beside::{BesideError, is_kept_elsewhere, keep_elsewhere};
pub use options::KurrentOptions;

use crate::admission::Admitted;
use crate::event_store::EventStore;
use crate::port::*;
use crate::postgres::Postgres;
use append::{Sending, fresh_id, unavailable};
use connection::Connection;
use follow::Follower;
use names::Names;
use record::note;

/// The service and the method that appends to several streams at once.
const NEEDED: (&str, &str) = ("kurrentdb.protocol.v2.streams.streamsservice", "appendrecords");
/// The version of the server that has it.
const VERSION_MIN: (u32, u32) = (26, 1);
const BEGUN: &str = "keynest.log_begun";

/// The log in one KurrentDB database. Clones share everything; the tasks behind it end with the last one.
#[derive(Clone, Debug)]
pub struct Kurrent {
    shared: Arc<Shared>,
    /// Not with the tasks themselves.
    _follower: Option<Arc<Follower>>,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    names: Names,
    options: KurrentOptions,
    head: watch::Sender<Position>,
    incarnation: Incarnation,
    queue: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    turns: Semaphore,
    /// What is no part of the log: levels of its format, uses of tokens and of sessions.
    beside: Option<Postgres>,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KurrentError {
    /// What the address or a file that it names says.
    #[error("{0}")]
    Setting(String),
    /// Nobody answers, or not as a KurrentDB server does.
    #[error("reach the KurrentDB cluster")]
    Unreachable(#[source] Box<Status>),
    /// The server cannot append to several streams at once.
    #[error(
        "the KurrentDB server is version {0}: version 26.1 or later is needed, which appends to several streams at once with checks"
    )]
    TooOld(String),
    /// The stream that tells of the log says nothing that is known.
    #[error("the stream {0} does not tell which log this is")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Begun {
    incarnation: Uuid,
}

impl Kurrent {
    /// Finds the cluster, or waits for it for a bounded time, and begins the log where there is none yet.
    pub async fn open(
        address: KurrentAddress,
        options: KurrentOptions,
        beside: Option<Postgres>,
    ) -> Result<Self, KurrentError> {
        let connection = Connection::new(address)?;
        let names = Names::new(&options.stream_prefix);
        wait_for(&connection, &options).await?;
        let mut shared = Shared {
            connection,
            names,
            head: watch::Sender::new(Position::START),
            incarnation: Incarnation::new(Uuid::nil()),
            queue: Arc::new(Semaphore::new(options.queue_requests)),
            bytes: Arc::new(Semaphore::new(options.queue_bytes as usize)),
            turns: Semaphore::new(options.appends_in_flight),
            options,
            beside,
        };
        let asking = Self { shared: Arc::new(shared), _follower: None };
        let incarnation = asking.begin().await?;
        shared = Arc::into_inner(asking.shared).expect("nobody else was given it");
        shared.incarnation = incarnation;
        let log = Self { shared: Arc::new(shared), _follower: None };
        log.head().await.map_err(|error| {
            let ReadError::Unavailable(source) = error;
            KurrentError::Unreachable(Box::new(Status::unavailable(source.to_string())))
        })?;
        let follower = Follower::start(&log);
        Ok(Self { _follower: Some(Arc::new(follower)), ..log })
    }

    pub(crate) async fn append(&self, request: Admitted) -> Result<Appended, AppendError> {
        let shared = &self.shared;
        let queued =
            Arc::clone(&shared.queue).try_acquire_owned().map_err(|_| AppendError::Busy)?;
        let room = u32::try_from(request.bytes).unwrap_or(u32::MAX);
        let bytes = Arc::clone(&shared.bytes)
            .try_acquire_many_owned(room)
            .map_err(|_| AppendError::Busy)?;
        // In a task of its own: a caller that goes does not take it back, and does not leave it half cleared up.
        let log = Self { shared: Arc::clone(shared), _follower: self._follower.clone() };
        let sending = tokio::spawn(async move {
            let (_queued, _bytes) = (queued, bytes);
            let _turn = log.shared.turns.acquire().await;
            let appended = Sending::new(&log, &request.append).run().await?;
            log.raise_head(appended.position);
            Ok(appended)
        });
        let ended = |_| unavailable(Status::cancelled("the append was ended with the process"));
        sending.await.map_err(ended)?
    }

    pub(crate) fn beside(&self) -> Option<&Postgres> {
        self.shared.beside.as_ref()
    }

    /// The life of this log.
    pub fn incarnation(&self) -> Incarnation {
        self.shared.incarnation
    }

    pub(crate) fn watch_head(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    fn names(&self) -> &Names {
        &self.shared.names
    }

    fn options(&self) -> &KurrentOptions {
        &self.shared.options
    }

    fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Wakes subscribers if this is news. Positions only rise, whoever tells them.
    fn raise_head(&self, position: Position) {
        self.shared.head.send_if_modified(|known| {
            let is_news = position > *known;
            *known = position.max(*known);
            is_news
        });
    }

    /// Which life of the log this is; the first process of all begins it.
    async fn begin(&self) -> Result<Incarnation, KurrentError> {
        let failed = |status| KurrentError::Unreachable(Box::new(status));
        let stream = self.names().log();
        if self.last(&stream).await.map_err(failed)?.is_none() {
            let begun = Begun { incarnation: fresh_id() };
            let state = StreamStateCheck { stream: stream.clone(), expected_state: -1 };
            let request = AppendRecordsRequest {
                records: vec![note(stream.clone(), fresh_id(), BEGUN, &begun)],
                checks: vec![ConsistencyCheck { r#type: Some(Type::StreamState(state)) }],
            };
            let call = async {
                let request = self.connection().request(request);
                self.connection().appends().await?.append_records(request).await
            };
            // Somebody else may have begun it meanwhile; what stands there is what counts.
            if let Err(status) = self.within(call).await
                && self.last(&stream).await.map_err(failed)?.is_none()
            {
                return Err(failed(status));
            }
        }
        let last = self.last(&stream).await.map_err(failed)?;
        let begun = last.and_then(|last| serde_json::from_slice::<Begun>(&last.data).ok());
        let Begun { incarnation } = begun.ok_or(KurrentError::Damaged(stream))?;
        Ok(Incarnation::new(incarnation))
    }
}

impl From<Kurrent> for EventStore {
    fn from(kurrent: Kurrent) -> Self {
        Self::Kurrent(kurrent)
    }
}

/// Until the server answers, and can do what is needed.
async fn wait_for(connection: &Connection, options: &KurrentOptions) -> Result<(), KurrentError> {
    let until = Instant::now() + options.connect_for;
    let mut pause = options.resend_pause;
    let features = loop {
        match connection.features().await {
            Ok(features) => break features,
            Err(status) if Instant::now() + pause > until => {
                return Err(KurrentError::Unreachable(Box::new(status)));
            }
            Err(status) => {
                tracing::info!(%status, "the KurrentDB cluster does not answer yet");
                connection.failed(&status);
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(options.connect_pause_max);
    };
    let is_needed = |service: &str, method: &str| {
        service.eq_ignore_ascii_case(NEEDED.0) && method.eq_ignore_ascii_case(NEEDED.1)
    };
    let can = features.methods.iter().any(|it| is_needed(&it.service_name, &it.method_name));
    let version = features.event_store_server_version;
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let known = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if can || known >= VERSION_MIN { Ok(()) } else { Err(KurrentError::TooOld(version)) }
}
