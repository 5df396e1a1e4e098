//! Idempotency keys: one definition per case, run by both tables.

use keynest_domain::{CommandId, Lifetime, Timestamp};
use keynest_store::{
    Begun, IDEMPOTENCY_LIFETIME, IDEMPOTENCY_TEXT_BYTES_MAX, IdempotencyError, IdempotencyTable,
};

use crate::given::command;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

macro_rules! both {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(keynest_store::IdempotencyTable::memory()).await;
            })+
        }
        mod postgres {
            use keynest_store::postgres::PostgresIdempotency;

            $(#[tokio::test]
            async fn $case() {
                crate::database::with_database(async |database: crate::database::Database| {
                    super::$case(PostgresIdempotency::new(database.pool).into()).await;
                })
                .await;
            })+
        }
    };
}

async fn begin(table: &IdempotencyTable, key: &str, body: &str, candidate: u128) -> Begun {
    begin_at(table, key, body, candidate, NOW).await
}

async fn begin_at(
    table: &IdempotencyTable,
    key: &str,
    body: &str,
    candidate: u128,
    now: Timestamp,
) -> Begun {
    table
        .begin("user:1", "POST /things", key, body.as_bytes(), command(candidate), now)
        .await
        .unwrap()
}

async fn a_new_key_is_fresh_and_a_repeat_has_its_command(table: IdempotencyTable) {
    assert_eq!(begin(&table, "k", "body", 1).await, Begun::Fresh(command(1)));
    assert_eq!(begin(&table, "k", "body", 2).await, Begun::Repeat(command(1)));
    assert_eq!(begin(&table, "k", "body", 3).await, Begun::Repeat(command(1)));
}

async fn another_body_is_a_mismatch_and_changes_nothing(table: IdempotencyTable) {
    begin(&table, "k", "body", 1).await;
    assert_eq!(begin(&table, "k", "other", 2).await, Begun::Mismatch);
    assert_eq!(begin(&table, "k", "body", 3).await, Begun::Repeat(command(1)));
}

async fn actor_route_and_key_are_told_apart(table: IdempotencyTable) {
    let ids =
        [("a", "r", "k"), ("b", "r", "k"), ("a", "s", "k"), ("a", "r", "K"), ("ar", "r", "k")];
    for (number, (actor, route, key)) in (0..).zip(ids) {
        let begun = table.begin(actor, route, key, b"body", command(number), NOW).await.unwrap();
        assert_eq!(begun, Begun::Fresh(command(number)));
    }
}

async fn a_key_is_forgotten_after_a_day_even_if_nobody_prunes(table: IdempotencyTable) {
    begin(&table, "k", "body", 1).await;
    let almost = NOW + Lifetime::from_secs(IDEMPOTENCY_LIFETIME.secs() - 1);
    assert_eq!(begin_at(&table, "k", "body", 2, almost).await, Begun::Repeat(command(1)));
    let later = NOW + IDEMPOTENCY_LIFETIME;
    assert_eq!(begin_at(&table, "k", "other", 3, later).await, Begun::Fresh(command(3)));
    assert_eq!(begin_at(&table, "k", "other", 4, later).await, Begun::Repeat(command(3)));
}

async fn pruning_takes_the_oldest_up_to_a_limit(table: IdempotencyTable) {
    for age in 0..5 {
        begin_at(&table, &age.to_string(), "", age.into(), NOW - Lifetime::from_secs(age)).await;
    }
    let before = NOW - Lifetime::from_secs(1);
    assert_eq!(table.prune(before, 2).await.unwrap(), 2);
    assert_eq!(begin(&table, "2", "", 9).await, Begun::Repeat(command(2)));
    assert_eq!(begin(&table, "4", "", 9).await, Begun::Fresh(command(9)));
    assert_eq!(table.prune(before, 2).await.unwrap(), 1);
    assert_eq!(table.prune(before, 2).await.unwrap(), 0);
    assert_eq!(begin(&table, "1", "", 9).await, Begun::Repeat(command(1)));
}

async fn of_64_parallel_beginners_one_is_fresh(table: IdempotencyTable) {
    let callers = (0..64).map(|number| {
        let table = table.clone();
        tokio::spawn(async move { begin(&table, "k", "body", number).await })
    });
    let begun: Vec<Begun> =
        futures::future::join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let fresh: Vec<CommandId> = begun
        .iter()
        .filter_map(|it| if let Begun::Fresh(command) = it { Some(*command) } else { None })
        .collect();
    assert_eq!(fresh.len(), 1);
    assert_eq!(begun.iter().filter(|it| **it == Begun::Repeat(fresh[0])).count(), 63);
}

async fn what_cannot_be_stored_is_malformed(table: IdempotencyTable) {
    let long = "k".repeat(IDEMPOTENCY_TEXT_BYTES_MAX + 1);
    for key in ["", "a\0b", &long] {
        let answer = table.begin("a", "r", key, b"", command(1), NOW).await;
        assert!(matches!(answer, Err(IdempotencyError::Malformed(_))), "{answer:?}");
    }
    let answer = table.begin("a", "r", "k", &[0; 65], command(1), NOW).await;
    assert!(matches!(answer, Err(IdempotencyError::Malformed(_))), "{answer:?}");
}

both![
    a_new_key_is_fresh_and_a_repeat_has_its_command,
    another_body_is_a_mismatch_and_changes_nothing,
    actor_route_and_key_are_told_apart,
    a_key_is_forgotten_after_a_day_even_if_nobody_prunes,
    pruning_takes_the_oldest_up_to_a_limit,
    of_64_parallel_beginners_one_is_fresh,
    what_cannot_be_stored_is_malformed,
];
