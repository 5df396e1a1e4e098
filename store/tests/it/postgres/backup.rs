//! What a backup copies.

use keynest_store::postgres::backup::{KEY_TABLES, LEFT_OUT, LOG_TABLES};

use crate::database::with_database;

#[tokio::test]
async fn every_table_is_copied_or_left_out_by_name() {
    with_database(async |database| {
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.tables where table_schema = 'store'",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        let mut known: Vec<&str> = [&LOG_TABLES[..], &KEY_TABLES, &LEFT_OUT].concat();
        known.sort_unstable();
        let mut tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        tables.sort_unstable();
        assert_eq!(tables, known);
    })
    .await;
}
