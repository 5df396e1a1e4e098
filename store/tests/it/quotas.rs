//! The counters in Postgres say what the counters in memory say, and many processes share them.

use keynest_domain::Timestamp;
use keynest_domain::limits::Quota;
use keynest_store::postgres::PostgresQuotas;
use keynest_store::quota::{MemoryQuotas, QuotaKey, QuotaTable};
use sqlx::PgPool;

const KEY: QuotaKey = QuotaKey { fine: [7; 16], coarse: [8; 16] };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + millis * 1_000)
}

async fn migrated(pool: PgPool) -> PgPool {
    keynest_store::postgres::migrate(&pool).await.unwrap();
    pool
}

#[sqlx::test(migrations = false)]
async fn both_tables_answer_the_same(pool: PgPool) {
    let shared = QuotaTable::from(PostgresQuotas::new(migrated(pool).await));
    let memory = QuotaTable::Memory(MemoryQuotas::new(100));
    // Steps that are no multiple of a slot, a quota that changes on the way, a clock that steps back.
    let mut millis = 0;
    for step in 0..400_i64 {
        millis += if step % 50 == 49 { -700 } else { (step * 7_919) % 1_900 };
        let quota = if step < 200 { Quota::new(9, 10) } else { Quota::new(4, 7) };
        let told = shared.take("auth", KEY, quota, at(millis)).await.unwrap();
        assert_eq!(told, memory.take("auth", KEY, quota, at(millis)).await.unwrap(), "{step}");
    }
}

#[sqlx::test(migrations = false)]
async fn of_64_parallel_tries_on_two_processes_five_are_within(pool: PgPool) {
    let pool = migrated(pool).await;
    let tables = [PostgresQuotas::new(pool.clone()), PostgresQuotas::new(pool)];
    let tries = (0..64).map(|n| {
        let table = QuotaTable::from(tables[n % 2].clone());
        tokio::spawn(async move { table.take("auth", KEY, Quota::new(5, 60), at(0)).await })
    });
    let mut within = 0;
    for taken in futures::future::join_all(tries).await {
        within += usize::from(taken.unwrap().unwrap().is_within);
    }
    assert_eq!(within, 5);
}

#[sqlx::test(migrations = false)]
async fn rows_that_say_nothing_any_more_go_away(pool: PgPool) {
    let pool = migrated(pool).await;
    let table = QuotaTable::from(PostgresQuotas::new(pool.clone()));
    for n in 0..20 {
        let key = QuotaKey { fine: [n; 16], coarse: [n; 16] };
        table.take("auth", key, Quota::new(5, 60), at(0)).await.unwrap();
    }
    table.take("auth", KEY, Quota::new(5, 60), at(61_000)).await.unwrap();
    let left: i64 =
        sqlx::query_scalar("select count(*) from store.quotas").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 1);
}
