//! A batch says and writes what its requests would one by one (DESIGN 4).

use std::sync::atomic::{AtomicU32, Ordering};

use keynest_domain::{EventId, StreamName};
use keynest_store::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::database::with_database;
use crate::given::*;

const CASES: u32 = 128;
/// Polled in order by `join_all`, so that all are queued before the committer runs.
const REQUESTS_MAX: usize = 24;

/// A request on a few streams, names and command ids, so that requests meet each other.
#[derive(Clone, Debug)]
struct Wish {
    command: u8,
    streams: Vec<(u8, Option<u8>, u8)>,
    checks: Vec<(u8, u8)>,
    claims: Vec<(u8, u8)>,
    releases: Vec<u8>,
}

/// What can be seen of an event, positions counted from the start of the case.
type Shown = (u64, StreamName, u32, EventId, Vec<u8>);

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let few = 0..4u8;
    let stream = (few.clone(), proptest::option::of(0..4u8), 1..3u8);
    let wish = (
        0..40u8,
        prop::collection::vec(stream, 1..3),
        prop::collection::vec((few.clone(), 0..3u8), 0..2),
        prop::collection::vec((few.clone(), few.clone()), 0..3),
        prop::collection::vec(few, 0..2),
    );
    let wish = wish.prop_map(|(command, streams, checks, claims, releases)| Wish {
        command,
        streams,
        checks,
        claims,
        releases,
    });
    prop::collection::vec(wish, 1..=REQUESTS_MAX)
}

impl Wish {
    /// `case` keeps the cases apart.
    fn append(&self, case: u32, number: usize) -> Append {
        let stream = |id: &u8| stream(format_args!("{case}-{id}"));
        let streams = self.streams.iter().map(|(id, expected, events)| StreamAppend {
            stream: stream(id),
            expected: expected.map_or(Expected::Any, |revision| at(revision.into())),
            events: (0..*events).map(|index| event(format_args!("{number} {index}"))).collect(),
        });
        let claims = self.claims.iter();
        Append {
            command_id: command(u128::from(case) * 1_000 + u128::from(self.command)),
            streams: streams.collect(),
            checks: self
                .checks
                .iter()
                .map(|(id, at)| (stream(id), Revision::new((*at).into())))
                .collect(),
            claims: claims
                .map(|(key, id)| (claim(format_args!("{case} {key}")), stream(id)))
                .collect(),
            releases: self.releases.iter().map(|key| claim(format_args!("{case} {key}"))).collect(),
            metadata: Metadata::default(),
        }
    }
}

/// What callers were told, and the log.
type Told = (Vec<String>, Vec<Shown>);

/// Appends in groups, each group at once, and tells everything that can be seen afterwards.
async fn outcome(store: EventStore, appends: Vec<Append>, cut: usize, case: u32) -> Told {
    let base = store.head().await.unwrap();
    let mut said = Vec::new();
    for group in appends.chunks(cut) {
        let answers = group.iter().map(|append| store.append(append.clone()));
        for answer in futures::future::join_all(answers).await {
            said.push(match answer {
                Ok(done) => {
                    let from_base = |at: Position| at.to_stored() - base.to_stored();
                    format!(
                        "{} {} {}",
                        from_base(done.first),
                        from_base(done.position),
                        done.is_repeat
                    )
                }
                Err(AppendError::Conflict(conflict)) => format!("{conflict:?}"),
                Err(other) => other.to_string(),
            });
        }
    }
    for key in 0..4 {
        let key = claim(format_args!("{case} {key}"));
        said.push(format!("{:?}", store.resolve(&key).await.unwrap()));
    }
    let log = store.read_all(base, 1_000).await.unwrap();
    let is_one_batch = log.windows(2).all(|pair| pair[0].recorded_at == pair[1].recorded_at);
    assert!(is_one_batch || cut < appends.len() || !matches!(store, EventStore::Postgres(_)));
    let shown = log.into_iter().map(|event| {
        let position = event.position.to_stored() - base.to_stored();
        (position, event.stream, event.revision.get(), event.event_id, event.data.to_vec())
    });
    (said, shown.collect())
}

#[tokio::test]
async fn a_batch_is_its_requests_one_by_one() {
    with_database(async |whole| {
        with_database(async |parts| {
            let [whole, parts] =
                [whole, parts].map(|it| async move { it.open(&Default::default()).await });
            compare(EventStore::memory(), whole.await, parts.await).await;
        })
        .await;
    })
    .await;
}

/// Requests one by one in memory, as one batch, and cut into batches.
async fn compare(single: EventStore, whole: EventStore, parts: EventStore) {
    let handle = Handle::current();
    let case = AtomicU32::new(0);
    let cases = move || {
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(&(wishes(), 1..=REQUESTS_MAX), |(wishes, cut)| {
            let case = case.fetch_add(1, Ordering::Relaxed);
            let numbered = wishes.iter().enumerate();
            let appends: Vec<_> =
                numbered.map(|(number, wish)| wish.append(case, number)).collect();
            let told =
                [(&single, 1), (&whole, appends.len()), (&parts, cut)].map(|(store, cut)| {
                    let run = outcome(store.clone(), appends.clone(), cut, case);
                    // On the runtime's own thread: there the committer waits until all are queued.
                    handle.block_on(handle.spawn(run)).unwrap()
                });
            prop_assert_eq!(&told[0], &told[1]);
            prop_assert_eq!(&told[0], &told[2]);
            Ok(())
        })
    };
    tokio::task::spawn_blocking(cases).await.unwrap().unwrap();
}
