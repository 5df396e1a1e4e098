//! Connections that the other end has given up without a word.

use std::future::pending;
use std::time::Duration;

use keynest_store::postgres::StoreOptions;
use keynest_store::{EventStore, Expected, Position, ReadError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::database::{Database, with_database};
use crate::given::*;

const NEVER: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_secs(1);

/// A process that hears by notifications alone, and gives up soon.
fn impatient() -> StoreOptions {
    StoreOptions {
        acquire_timeout: SOON,
        statement_timeout: SOON,
        silence_max: SOON,
        poll_interval: NEVER,
        ..StoreOptions::default()
    }
}

/// A wire to the server, whose connections can all fall silent; later ones are as good as ever.
struct Wire {
    port: u16,
    silenced: watch::Sender<u32>,
}

impl Wire {
    async fn to(database: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, silenced) = (listener.local_addr().unwrap().port(), watch::Sender::new(0));
        let (host, far) = (database.connect.get_host().to_owned(), database.connect.get_port());
        let silences = silenced.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((host.as_str(), far)).await.unwrap();
                let ((from_near, to_near), (from_far, to_far)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(forward(from_near, to_far, silences.clone()));
                tokio::spawn(forward(from_far, to_near, silences.clone()));
            }
        });
        Self { port, silenced }
    }

    async fn open(&self, database: &Database, options: &StoreOptions) -> EventStore {
        let connect = database.connect.clone().host("127.0.0.1").port(self.port);
        Database { connect, pool: database.pool.clone() }.open(options).await
    }

    fn fall_silent(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silences: watch::Receiver<u32>) {
    let began = *silences.borrow();
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if *silences.borrow() != began {
            // Neither the bytes nor the end of the connection get through.
            return pending().await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_listener_does_not_believe_in_a_silence() {
    with_database(async |database| {
        let wire = Wire::to(&database).await;
        let follower = wire.open(&database, &impatient()).await;
        let writer = database.open(&StoreOptions::default()).await;
        let mut subscription = follower.subscribe(Position::START);
        writer.append(one("a", Expected::Any)).await.unwrap();
        assert_eq!(subscription.next_batch(10).await.unwrap().len(), 1);
        wire.fall_silent();
        writer.append(one("b", Expected::Any)).await.unwrap();
        // What it asks on an old connection has no answer either; it asks again.
        while let Err(error) = subscription.next_batch(10).await {
            assert!(matches!(error, ReadError::Unavailable(_)), "{error:?}");
        }
        assert_eq!(subscription.position(), Position::from_stored(2));
    })
    .await;
}

#[tokio::test]
async fn a_read_without_an_answer_ends() {
    with_database(async |database| {
        let wire = Wire::to(&database).await;
        let options = StoreOptions { is_listening: false, ..impatient() };
        let store = wire.open(&database, &options).await;
        wire.fall_silent();
        let read = store.read_all(Position::START, 1).await;
        assert!(matches!(read, Err(ReadError::Unavailable(_))), "{read:?}");
    })
    .await;
}
