//! The face over the server's log, in a runtime of its own that ends as suddenly as a process.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use keynest_eventstore_server::serve;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool, migrate};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// Before what is away is tried again.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Face {
    address: SocketAddr,
    /// The database of the log.
    database: String,
    /// `None` only while it is ended.
    runtime: Option<Runtime>,
}

impl Face {
    pub fn start(database: String) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = Some(run(listener, database.clone()));
        Self { address, database, runtime }
    }

    pub fn url(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.address)
    }

    /// Nobody is told anything, nothing is finished, and there is another one at the same place.
    pub async fn kill_and_restart(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
        let listener = loop {
            // The last one may not have let go of it yet.
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener.into_std().unwrap(),
                Err(_) => sleep(PAUSE).await,
            }
        };
        self.runtime = Some(run(listener, self.database.clone()));
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn run(listener: StdListener, database: String) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let log = loop {
            // The database may be down just now.
            match open(&database).await {
                Some(log) => break log,
                None => sleep(PAUSE).await,
            }
        };
        let listener = TcpListener::from_std(listener).unwrap();
        serve(log.into(), listener, std::future::pending()).await.unwrap();
    });
    runtime
}

async fn open(database: &str) -> Option<Postgres> {
    let options = StoreOptions::default();
    let pool = connect_store_pool(database, &options).await.ok()?;
    migrate(&pool).await.ok()?;
    Postgres::open(pool, &options).await.ok()
}
