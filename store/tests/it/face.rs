//! The backend `kurrentdb` over a real socket: the face over another backend, or the server that the environment names.

use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::kurrentdb::{Kurrent, KurrentOptions};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A real server, whose log is kept apart by the names of its streams.
const REAL: &str = "KEYNEST_TEST_KURRENTDB_URL";

/// A log of its own.
pub async fn kurrent_over(store: EventStore) -> EventStore {
    let url = match std::env::var(REAL) {
        Ok(url) => url,
        Err(_) => face_over(store).await,
    };
    open(&url, fresh_prefix()).await
}

/// A face on a socket of its own.
pub async fn face_over(store: EventStore) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(store, listener, std::future::pending()));
    url_of(port)
}

pub fn url_of(port: u16) -> String {
    format!("kurrentdb://127.0.0.1:{port}?tls=false&defaultDeadline=60000")
}

pub async fn open(url: &str, stream_prefix: String) -> EventStore {
    let options = KurrentOptions { stream_prefix, ..KurrentOptions::default() };
    Kurrent::open(url.parse().unwrap(), options, None).await.unwrap().into()
}

pub fn fresh_prefix() -> String {
    #[expect(clippy::disallowed_methods, reason = "keeps tests apart on a real server")]
    let id = Uuid::new_v4();
    format!("test{}", id.simple())
}
