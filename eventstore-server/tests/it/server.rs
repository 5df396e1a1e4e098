//! A server on a socket of its own, and a client of it.

use std::net::SocketAddr;
use std::sync::Once;

use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use kurrentdb::{
    AppendToStreamOptions, Client, EventData, ReadAllOptions, ReadStream, ReadStreamOptions,
    RecordedEvent, Result, StreamState, WriteResult,
};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

static PROVIDER: Once = Once::new();

/// Two providers are compiled in, and rustls does not choose (FACTS 2).
pub fn install_provider() {
    PROVIDER.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    });
}

pub struct Face {
    pub client: Client,
    pub store: EventStore,
}

impl Face {
    pub async fn over(store: EventStore) -> Self {
        Self::until(store, std::future::pending()).await.0
    }

    /// With where it listens, and when it has ended.
    pub async fn until(
        store: EventStore,
        until: impl Future<Output = ()> + Send + 'static,
    ) -> (Self, SocketAddr, JoinHandle<()>) {
        install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve(store.clone(), listener, until);
        let served = tokio::spawn(async move { serving.await.unwrap() });
        let url = format!("kurrentdb://{address}?tls=false&discoveryInterval=1");
        let client = Client::new(url.parse().unwrap()).unwrap();
        (Self { client, store }, address, served)
    }

    pub async fn append(
        &self,
        stream: &str,
        expected: StreamState,
        events: Vec<EventData>,
    ) -> Result<WriteResult> {
        let options = AppendToStreamOptions::default().stream_state(expected);
        self.client.append_to_stream(stream, &options, events).await
    }

    /// Some events at the end of a stream.
    pub async fn given(&self, stream: &str, events: u8) -> WriteResult {
        let events = (0..events).map(|_| event("thing.happened")).collect();
        self.append(stream, StreamState::Any, events).await.unwrap()
    }

    pub async fn read(
        &self,
        stream: &str,
        options: ReadStreamOptions,
    ) -> Result<Vec<RecordedEvent>> {
        collect(self.client.read_stream(stream, &options).await?).await
    }

    pub async fn read_all(&self, options: ReadAllOptions) -> Result<Vec<RecordedEvent>> {
        collect(self.client.read_all(&options).await?).await
    }
}

pub async fn collect(mut stream: ReadStream) -> Result<Vec<RecordedEvent>> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await? {
        events.extend(event.link.or(event.event));
    }
    Ok(events)
}

pub fn event(kind: &str) -> EventData {
    EventData::json(kind, &serde_json::json!({ "kind": kind })).unwrap()
}

pub fn revisions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.revision).collect()
}

pub async fn in_postgres(pool: &PgPool) -> EventStore {
    let options = StoreOptions::default();
    let connect = (*pool.connect_options()).clone();
    let pool = connect_store_pool_with(connect, &options).await.unwrap();
    migrate(&pool).await.unwrap();
    Postgres::open(pool, &options).await.unwrap().into()
}
