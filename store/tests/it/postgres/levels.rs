//! Old and new binaries on one log: nobody writes what somebody at work cannot read.

use bytes::Bytes;
use keynest_store::postgres::{
    Introduction, OpenError, Postgres, Presence, RaiseError, StoreOptions,
};
use keynest_store::{
    AppendError, EventStore, Expected, Format, FormatLevel, NewEvent, StreamAppend, decode,
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::database::{Database, with_database};
use crate::given::*;

/// This binary's past: what it wrote before `user.registered` could lack a password, and before mails could be undone.
static OLDER: Format = Format { highest: FormatLevel(1), since: &[], lowered: &[] };
static NEWER: Format = Format {
    highest: FormatLevel(2),
    since: &[
        ("user.registered", 2, FormatLevel(2)),
        ("user.email_change_undone", 1, FormatLevel(2)),
    ],
    lowered: &[("user.registered", 2, |new| Some(new).filter(|it| it["password"].is_string()))],
};

async fn opened(database: &Database, format: &'static Format) -> Postgres {
    let options = StoreOptions { format, ..StoreOptions::default() };
    Postgres::open(database.pool.clone(), &options).await.unwrap()
}

async fn at_work(log: &Postgres, part: &str) -> Result<Presence, OpenError> {
    let (version, host) = ("0.1.0".to_owned(), "here".to_owned());
    log.announce(Introduction { part: part.to_owned(), version, host }).await
}

/// So that the log has a past.
async fn with_a_past(log: &Postgres) -> EventStore {
    let store = EventStore::from(log.clone());
    store.append(one("a", Expected::Any)).await.unwrap();
    store
}

fn golden(name: &str, change: impl FnOnce(&mut Value)) -> NewEvent {
    let path = format!("{}/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut data = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut data);
    let (name, version) = name.rsplit_once(".v").unwrap();
    let data = Bytes::from(serde_json::to_vec(&data).unwrap());
    NewEvent { name: name.into(), version: version.parse().unwrap(), data }
}

async fn write(store: &EventStore, event: NewEvent) -> Result<(String, u16), AppendError> {
    let part =
        StreamAppend { stream: stream("written"), expected: Expected::Any, events: vec![event] };
    let appended = store.append(append([part])).await?;
    let recorded = store.read_at(appended.position).await.unwrap().unwrap();
    decode(&recorded).unwrap();
    Ok((recorded.name.to_string(), recorded.version))
}

fn is_too_low(answer: Result<(String, u16), AppendError>) -> bool {
    let (needed, level) = (FormatLevel(2), FormatLevel(1));
    matches!(answer, Err(AppendError::LevelTooLow { needed: n, level: l, .. }) if (n, l) == (needed, level))
}

#[tokio::test]
async fn what_older_binaries_cannot_read_is_written_in_the_old_shape_or_not_at_all() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        with_a_past(&older).await;
        let log = opened(&database, &NEWER).await;
        let store = EventStore::from(log.clone());
        let registered = || golden("user.registered.v2", |_| ());
        let nobody = || golden("user.registered.v2", |data| data["password"] = Value::Null);
        let undone = || golden("user.email_change_undone.v1", |_| ());
        assert_eq!(write(&store, registered()).await.unwrap(), ("user.registered".into(), 1));
        assert!(is_too_low(write(&store, nobody()).await));
        assert!(is_too_low(write(&store, undone()).await));

        // Another process of the new binary is not told; it asks before it refuses.
        let other = EventStore::from(opened(&database, &NEWER).await);
        log.raise_level().await.unwrap();
        assert_eq!(write(&store, registered()).await.unwrap().1, 2);
        assert_eq!(write(&other, nobody()).await.unwrap(), ("user.registered".into(), 2));
        assert_eq!(write(&other, undone()).await.unwrap().1, 1);
    })
    .await;
}

#[tokio::test]
async fn the_level_is_not_raised_while_an_older_binary_is_at_work() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        with_a_past(&older).await;
        let presence = at_work(&older, "api").await.unwrap();
        let newer = opened(&database, &NEWER).await;
        let _newer = at_work(&newer, "work").await.unwrap();
        let refused = newer.raise_level().await;
        let Err(RaiseError::Behind(behind)) = refused else { panic!("{refused:?}") };
        let named: Vec<_> = behind.iter().map(|it| (&*it.part, it.format_level)).collect();
        assert_eq!(named, [("api", FormatLevel(1))]);
        presence.leave().await;
        assert_eq!(newer.raise_level().await.unwrap(), (FormatLevel(1), FormatLevel(2)));
        assert_eq!(newer.raise_level().await.unwrap(), (FormatLevel(2), FormatLevel(2)));
    })
    .await;
}

#[tokio::test]
async fn whoever_was_killed_stands_in_nobodys_way_for_long() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        with_a_past(&older).await;
        // Dropped, not taken back: as a kill does it.
        drop(at_work(&older, "api").await.unwrap());
        let newer = opened(&database, &NEWER).await;
        assert!(matches!(newer.raise_level().await, Err(RaiseError::Behind(_))));
        let age = "update store.processes set seen_at = seen_at - interval '30 seconds'";
        sqlx::raw_sql(age).execute(&database.pool).await.unwrap();
        assert_eq!(newer.raise_level().await.unwrap().1, FormatLevel(2));
    })
    .await;
}

#[tokio::test]
async fn a_binary_that_the_log_has_overtaken_does_not_start_and_knows_when_it_happens() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        let store = with_a_past(&older).await;
        let newer = opened(&database, &NEWER).await;
        assert_eq!(store.overtaken(), None);
        newer.raise_level().await.unwrap();
        older.level().await.unwrap();
        assert_eq!(store.overtaken(), Some((FormatLevel(2), FormatLevel(1))));
        let options = StoreOptions { format: &OLDER, ..StoreOptions::default() };
        let refusals = [
            Postgres::open(database.pool.clone(), &options).await.unwrap_err(),
            // One that was opened a moment before.
            at_work(&older, "api").await.unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(
                refusal.to_string(),
                "the log is at format level 2, this binary reads up to 1; start a newer one"
            );
        }
        assert_eq!(newer.processes().await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_empty_log_begins_at_the_highest_level_of_those_at_work() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        let newer = opened(&database, &NEWER).await;
        let presence = at_work(&older, "api").await.unwrap();
        let _newer = at_work(&newer, "api").await.unwrap();
        assert_eq!(newer.level().await.unwrap().0, FormatLevel(1));
        presence.leave().await;
        let _another = at_work(&newer, "api").await.unwrap();
        assert_eq!(newer.level().await.unwrap().0, FormatLevel(2));
    })
    .await;
}

/// Either some older binary was let in, and the level stays, or it was raised, and none was let in.
#[tokio::test]
async fn of_64_that_start_and_finish_at_once_no_two_disagree() {
    with_database(async |database| {
        let older = opened(&database, &OLDER).await;
        with_a_past(&older).await;
        let mut ends = [0, 0];
        for round in 0..12 {
            let begin = "update store.log set format_level = 1; delete from store.processes";
            sqlx::raw_sql(begin).execute(&database.pool).await.unwrap();
            let (older, newer) = (opened(&database, &OLDER).await, opened(&database, &NEWER).await);
            let mut at_once = JoinSet::new();
            for number in 0..64 {
                let (older, newer) = (older.clone(), newer.clone());
                at_once.spawn(async move {
                    // Whoever is first decides the round; both kinds take turns at that.
                    if (number + round) % 2 == 0 {
                        (at_work(&older, "api").await.ok(), false)
                    } else {
                        (None, newer.raise_level().await.is_ok())
                    }
                });
            }
            let ended = at_once.join_all().await;
            let let_in = ended.iter().filter(|(presence, _)| presence.is_some()).count();
            let raised = ended.iter().filter(|(_, is_raised)| *is_raised).count();
            assert_ne!(let_in > 0, raised > 0, "{let_in} let in, {raised} raised");
            let level = newer.level().await.unwrap().0;
            assert_eq!(level, FormatLevel(if raised > 0 { 2 } else { 1 }));
            ends[usize::from(raised > 0)] += 1;
        }
        assert!(ends.iter().all(|times| *times > 0), "both ends happen: {ends:?}");
    })
    .await;
}
