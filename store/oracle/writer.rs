//! A process of the oracle that can be killed: writers on overlapping streams, each acknowledgement a line on standard
//! output. It ends when its standard input is closed. Arguments: URL of the database or of the cluster, seed, number of writers.

mod random;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use keynest_domain::{CommandId, StreamName};
use keynest_store::kurrentdb::{Kurrent, KurrentAddress, KurrentOptions};
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool};
use keynest_store::*;
use random::Random;
use tokio::time::sleep;
use uuid::Uuid;

const STREAMS: u64 = 12;
const RETRY_PAUSE: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, seed, writers] = &arguments[..] else {
        eprintln!("usage: keynest-oracle-writer URL SEED WRITERS");
        std::process::exit(2);
    };
    let seed: u64 = seed.parse().expect("the seed is a number");
    let writers: u64 = writers.parse().expect("the number of writers is a number");
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        over.store(true, Ordering::Relaxed);
    });
    let store = open(url).await;
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let random = Random::new(seed ^ (writer + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
            tokio::spawn(write(store.clone(), writer, random, Arc::clone(&is_over)))
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer does not panic");
    }
}

/// The database may be down when this process starts.
async fn open(url: &str) -> EventStore {
    if let Ok(address) = url.parse::<KurrentAddress>() {
        loop {
            match Kurrent::open(address.clone(), KurrentOptions::default(), None).await {
                Ok(cluster) => return cluster.into(),
                Err(_) => sleep(RETRY_PAUSE).await,
            }
        }
    }
    let options = StoreOptions::default();
    loop {
        if let Ok(pool) = connect_store_pool(url, &options).await
            && let Ok(postgres) = Postgres::open(pool, &options).await
        {
            return postgres.into();
        }
        sleep(RETRY_PAUSE).await;
    }
}

/// Appends until it is over. An unknown outcome is cleared up by sending the same command again.
async fn write(store: EventStore, writer: u64, mut random: Random, is_over: Arc<AtomicBool>) {
    let mut known = [0; STREAMS as usize];
    while !is_over.load(Ordering::Relaxed) {
        let append = compose(&mut random, &known);
        match clear_up(&store, &append).await {
            Ok(appended) => {
                let (first, last) = (appended.first.to_stored(), appended.position.to_stored());
                let line = format!("ack {writer} {} {first} {last}\n", append.command_id);
                // One write per line: what was acknowledged is known, whenever this process is killed.
                let _ = std::io::stdout().write_all(line.as_bytes());
            }
            Err(Conflict::Revision { stream, actual, .. }) => {
                let number: usize = stream.id().parse().expect("streams are numbered");
                known[number] = actual.get();
            }
            Err(Conflict::Claim { .. }) => {}
        }
        sleep(Duration::from_micros(random.below(4_000))).await;
    }
}

async fn clear_up(store: &EventStore, append: &Append) -> Result<Appended, Conflict> {
    loop {
        match store.append(append.clone()).await {
            Ok(appended) => return Ok(appended),
            Err(AppendError::Conflict(conflict)) => return Err(conflict),
            Err(
                AppendError::Malformed(_)
                | AppendError::LevelTooLow { .. }
                | AppendError::Busy
                | AppendError::Unavailable(_),
            ) => {
                sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// One to three streams, one to four events each; a third of the streams at an exact revision.
fn compose(random: &mut Random, known: &[u32]) -> Append {
    let bits = (u128::from(random.next()) << 64) | u128::from(random.next());
    let command_id =
        CommandId::new(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid());
    let first = random.below(STREAMS);
    let mut parts: Vec<(u64, u64)> = (0..=random.below(3))
        .map(|step| ((first + step * 5) % STREAMS, random.below(4) + 1))
        .collect();
    parts.sort_unstable();
    parts.dedup_by_key(|(stream, _)| *stream);
    let of: u64 = parts.iter().map(|(_, events)| events).sum();
    let mut index = 0;
    let mut event = || {
        index += 1;
        let data = format!(r#"{{"command":"{command_id}","index":{},"of":{of}}}"#, index - 1);
        NewEvent { name: "oracle.wrote".into(), version: 1, data: Bytes::from(data) }
    };
    let streams = parts
        .into_iter()
        .map(|(number, events)| StreamAppend {
            stream: StreamName::new("oracle", number),
            expected: match random.below(3) {
                0 => Expected::Exact(Revision::new(known[number as usize])),
                _ => Expected::Any,
            },
            events: (0..events).map(|_| event()).collect(),
        })
        .collect();
    let metadata = Metadata { correlation: Some(Uuid::from_u128(bits)), ..Metadata::default() };
    Append {
        command_id,
        streams,
        checks: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata,
    }
}
