//! Lost connections, refused batches, full queues.

use std::time::Duration;

use keynest_store::postgres::StoreOptions;
use keynest_store::{Append, AppendError, Appended, EventStore, Expected, Position};
use sqlx::{ConnectOptions, Connection, Executor, query, query_scalar};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::database::{Database, with_database};
use crate::given::*;

/// Cuts every connection that is waiting for its turn to append, once there are so many.
async fn cut_waiting(database: &Database, count: usize) {
    let mut cut = 0;
    while cut < count {
        let ended: Vec<bool> = query_scalar(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and wait_event_type = 'Lock' and query like '%append_batch%'",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        cut += ended.len();
    }
}

async fn waiting(database: &Database) {
    let is_waiting = async || -> bool {
        query_scalar(
            "select exists (select from pg_stat_activity where datname = current_database() \
             and wait_event_type = 'Lock' and query like '%append_batch%')",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap()
    };
    while !is_waiting().await {}
}

fn spawn(store: &EventStore, append: Append) -> JoinHandle<Result<Appended, AppendError>> {
    let store = store.clone();
    tokio::spawn(async move { store.append(append).await })
}

#[tokio::test]
async fn a_lost_connection_is_not_seen_by_callers() {
    with_database(async |database| {
        let store = database.open(&Default::default()).await;
        store.append(one("a", at(0))).await.unwrap();
        query(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&mut database.connect.connect().await.unwrap())
        .await
        .unwrap();
        let appended = store.append(one("a", at(1))).await.unwrap();
        assert_eq!(appended.position, Position::from_stored(2));
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_was_cut_off_is_sent_again_and_written_once() {
    with_database(async |database| {
        let store = database.open(&Default::default()).await;
        let mut turn = database.connect.connect().await.unwrap();
        let mut turn = turn.begin().await.unwrap();
        turn.execute("select from store.log for update").await.unwrap();
        let calls: Vec<_> = (0..10).map(|id| spawn(&store, one(id, at(0)))).collect();
        cut_waiting(&database, 2).await;
        turn.rollback().await.unwrap();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(store.head().await.unwrap(), Position::from_stored(10));
    })
    .await;
}

#[tokio::test]
async fn an_abandoned_attempt_does_nothing() {
    const CALL: &str = "select verdicts from store.append_batch_2($1, '{thing-a}', '{}', \
         array[gen_random_uuid()], '{1}', '{1}', '{0}', '{0}', '{0}', '{1}', '{-1}', '{1}', '{}', '{}', '{}', '{}', '{}', \
         '{1}', '{0}', array[gen_random_uuid()], array[gen_random_uuid()], '{thing.happened}', '{1}', '{x}', \
         '{null}', '{null}', '{null}', '{null}', '{null}', '{null}', '{null}')";
    with_database(async |database| {
        let attempt = Uuid::from_u128(7);
        let call = async |attempt: Uuid| -> Option<Vec<i32>> {
            query_scalar(CALL).bind(attempt).fetch_one(&database.pool).await.unwrap()
        };
        query("insert into store.abandoned values ($1, now())")
            .bind(attempt)
            .execute(&database.pool)
            .await
            .unwrap();
        assert_eq!(call(attempt).await, None);
        let store = database.open(&Default::default()).await;
        assert_eq!(store.head().await.unwrap(), Position::START);
        assert_eq!(call(Uuid::from_u128(8)).await, Some(vec![0]));
        assert_eq!(store.head().await.unwrap(), Position::from_stored(1));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_the_server_refuses_stands_alone() {
    with_database(async |database| {
        sqlx::raw_sql(
            "create function refuse() returns trigger language plpgsql as \
             $$ begin raise exception 'poison'; end $$; \
             create trigger refuse before insert on store.events for each row \
             when (new.type = 'thing.poisoned') execute function refuse()",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        let store = database.open(&Default::default()).await;
        let appends: Vec<Append> = (0..20)
            .map(|id| {
                let mut append = one(id, at(0));
                if id == 13 {
                    append.streams[0].events[0].name = "thing.poisoned".into();
                }
                append
            })
            .collect();
        let calls = appends.into_iter().map(|append| store.append(append));
        let answers = futures::future::join_all(calls).await;
        for (id, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_err(), id == 13, "{id}: {answer:?}");
        }
        assert!(matches!(answers[13], Err(AppendError::Unavailable(_))));
        assert_eq!(store.head().await.unwrap(), Position::from_stored(19));
    })
    .await;
}

/// Appends of these many events each, sent while another one is in flight: how many events each commit took along.
async fn batches(database: &Database, options: &StoreOptions, events: usize) -> Vec<i64> {
    let store = database.open(options).await;
    let mut turn = database.connect.connect().await.unwrap();
    let mut turn = turn.begin().await.unwrap();
    turn.execute("select from store.log for update").await.unwrap();
    let mut calls = vec![spawn(&store, one("first", at(0)))];
    waiting(database).await;
    let texts = vec!["0123456789"; events];
    let appends = (0..options.queue_requests).map(|id| append([part(id, at(0), &texts)]));
    calls.extend(appends.map(|append| spawn(&store, append)));
    tokio::task::yield_now().await;
    let more = store.append(one("more", at(0))).await;
    assert!(matches!(more, Err(AppendError::Busy)), "all wait in the queue: {more:?}");
    turn.rollback().await.unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let commits = "select count(*) from store.events where position > 1 \
                   group by xmin::text order by min(position)";
    query_scalar(commits).fetch_all(&database.pool).await.unwrap()
}

#[tokio::test]
async fn a_batch_takes_along_what_the_operator_allows() {
    for (batch_requests, batch_events, batch_bytes, events, taken) in [
        (256, 1_000, 10_000, 1, vec![6]),
        (4, 1_000, 10_000, 1, vec![4, 2]),
        (256, 9, 10_000, 3, vec![9, 9]),
        (256, 1_000, 80, 3, vec![6, 6, 6]),
        // A larger one goes alone.
        (256, 2, 10_000, 3, vec![3; 6]),
    ] {
        let limits = StoreOptions {
            queue_requests: 6,
            batch_requests,
            batch_events,
            batch_bytes,
            ..Default::default()
        };
        with_database(async move |database| {
            assert_eq!(batches(&database, &limits, events).await, taken, "{limits:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once() {
    with_database(async |database| {
        let options = StoreOptions { queue_requests: 1, ..Default::default() };
        let store = database.open(&options).await;
        let mut turn = database.connect.connect().await.unwrap();
        let mut turn = turn.begin().await.unwrap();
        turn.execute("select from store.log for update").await.unwrap();
        let in_flight = spawn(&store, one("a", at(0)));
        waiting(&database).await;
        let queued = spawn(&store, one("b", at(0)));
        tokio::task::yield_now().await;
        assert!(matches!(store.append(one("c", at(0))).await, Err(AppendError::Busy)));
        turn.rollback().await.unwrap();
        in_flight.await.unwrap().unwrap();
        queued.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_queue_full_of_bytes_is_busy_at_once() {
    with_database(async |database| {
        let options = StoreOptions { queue_bytes: 10, ..Default::default() };
        let store = database.open(&options).await;
        let large = append([part("a", at(0), &["more than ten bytes"])]);
        assert!(matches!(store.append(large).await, Err(AppendError::Busy)));
        store.append(one("a", at(0))).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_database_that_stays_away_is_unavailable_and_comes_back() {
    with_database(async |database| {
        let options = StoreOptions { resend_for: Duration::from_millis(200), ..Default::default() };
        let store = database.open(&options).await;
        let server = database.connect.clone().database("postgres");
        let mut server = server.connect().await.unwrap();
        let name = database.connect.get_database().unwrap().to_owned();
        let admit = async |server: &mut sqlx::PgConnection, is_open: bool| {
            query("update pg_database set datallowconn = $2 where datname = $1")
                .bind(&name)
                .bind(is_open)
                .execute(server)
                .await
                .unwrap();
        };
        admit(&mut server, false).await;
        query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
            .bind(&name)
            .execute(&mut server)
            .await
            .unwrap();
        let append = one("a", Expected::Any);
        let answer = store.append(append.clone()).await;
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
        admit(&mut server, true).await;
        store.append(append).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn two_processes_append_to_one_log() {
    with_database(async |database| {
        let one_process = database.open(&Default::default()).await;
        let other = database.open(&Default::default()).await;
        let calls = (0..200).map(|number| {
            let store = if number % 2 == 0 { &one_process } else { &other };
            spawn(store, one(number % 7, Expected::Any))
        });
        for call in futures::future::join_all(calls).await {
            call.unwrap().unwrap();
        }
        let log = other.read_all(Position::START, 1_000).await.unwrap();
        assert!((1..=200).eq(log.iter().map(|event| event.position.to_stored())));
    })
    .await;
}
