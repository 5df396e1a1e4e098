//! What an event costs does not grow with the tables: rows are found by index, also by statements that were prepared when
//! the tables were empty.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};

use crate::history::{Dice, History};
use crate::world::*;

const STEPS: usize = 400;

/// Rows that were read by scans of whole tables, by table. Other connections have told theirs when they are gone.
async fn scanned(rows: &mut PgConnection) -> Vec<(String, i64)> {
    let others = "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut *rows).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    let scans = "select relname::text, seq_tup_read from pg_stat_user_tables
        where schemaname = 'read' and seq_tup_read > 0 order by seq_tup_read desc";
    sqlx::query_as(scans).fetch_all(rows).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn rows_are_found_by_index_however_large_the_tables_become(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options.clone()).await;
    let mut dice = Dice::new(7);
    let mut history = History::starting_at(100);
    for _ in 0..STEPS {
        history.step(&world, &mut dice).await;
        world.catch_up().await;
    }
    world.read.close().await;
    let mut rows = options.connect().await.unwrap();
    let models: Vec<&str> = keynest_projections::all()
        .iter()
        .flat_map(|projection| projection.tables())
        .copied()
        .collect();
    let mut scanned = scanned(&mut rows).await;
    scanned.retain(|(table, _)| models.contains(&table.as_str()));
    assert_eq!(scanned, []);
}
