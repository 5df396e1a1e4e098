//! The key table in Postgres keeps the contract of the crypto crate.

use std::sync::Arc;

use keynest_crypto::{KeyTable, key_table::contract};
use keynest_store::PostgresKeyTable;

use crate::database::with_database;

#[tokio::test]
async fn wrapped_keys_are_kept_as_the_keyring_expects() {
    with_database(async |database| {
        contract::run(async || {
            sqlx::raw_sql("truncate store.data_keys").execute(&database.pool).await.unwrap();
            Arc::new(PostgresKeyTable::new(database.pool.clone())) as Arc<dyn KeyTable>
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn nothing_but_the_row_of_a_destroyed_key_is_left() {
    with_database(async |database| {
        sqlx::raw_sql(
            "insert into store.data_keys values (gen_random_uuid(), 'user:1', 'x', 'root')",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        let table = PostgresKeyTable::new(database.pool.clone());
        let key = table.find("user:1").await.unwrap().unwrap();
        table.destroy(key.id).await.unwrap();
        let left: Vec<u8> = sqlx::query_scalar("select wrapped from store.data_keys")
            .fetch_one(&database.pool)
            .await
            .unwrap();
        assert_eq!(left, b"");
    })
    .await;
}
