//! What every key table must do, for the tests of whoever implements one. Each function wants an empty table.

use std::collections::HashSet;
use std::sync::Arc;

use keynest_domain::KeyId;

use super::{KeyTable, NewKey, PAGE_MAX, WrappedKey, is_empty};

const ANSWERS: &str = "the table under test answers";

/// Runs the whole contract, on a fresh table each time.
pub async fn run(fresh: impl AsyncFn() -> Arc<dyn KeyTable>) {
    a_key_is_found_by_name_and_by_id(&*fresh().await).await;
    a_name_is_taken_until_its_key_retires(&*fresh().await).await;
    wrapping_is_replaced_by_compare_and_set(&*fresh().await).await;
    a_destroyed_key_leaves_its_row_and_its_name(&*fresh().await).await;
    pages_are_complete_and_in_order(&*fresh().await).await;
    of_64_parallel_inserts_one_wins(fresh().await).await;
}

async fn a_key_is_found_by_name_and_by_id(table: &dyn KeyTable) {
    assert!(is_empty(table).await.expect(ANSWERS));
    assert_eq!(table.find("user:1").await.expect(ANSWERS), None);
    let row = table.insert_if_absent(key(1, "user:1")).await.expect(ANSWERS);
    let NewKey { id, name, wrapped, root_id } = key(1, "user:1");
    let (created_at, retired_at, destroyed_at) = (row.created_at, None, None);
    let as_given = WrappedKey { id, name, wrapped, root_id, created_at, retired_at, destroyed_at };
    assert_eq!(row, as_given);
    assert!(!is_empty(table).await.expect(ANSWERS));
    assert_eq!(table.find("user:1").await.expect(ANSWERS), Some(row.clone()));
    assert_eq!(table.find("user:11").await.expect(ANSWERS), None);
    assert_eq!(table.find("USER:1").await.expect(ANSWERS), None);
    assert_eq!(table.get(&[id, key_id(2)]).await.expect(ANSWERS), [row]);
    assert_eq!(table.get(&[]).await.expect(ANSWERS), []);
}

async fn a_name_is_taken_until_its_key_retires(table: &dyn KeyTable) {
    let first = table.insert_if_absent(key(1, "link")).await.expect(ANSWERS);
    assert_eq!(table.insert_if_absent(key(2, "link")).await.expect(ANSWERS), first);
    table.retire(first.id).await.expect(ANSWERS);
    assert_eq!(table.find("link").await.expect(ANSWERS), None);
    let second = table.insert_if_absent(key(2, "link")).await.expect(ANSWERS);
    assert_eq!(second.id, key_id(2));
    let history = table.history("link").await.expect(ANSWERS);
    assert_eq!(history.iter().map(|row| row.id).collect::<Vec<_>>(), [second.id, first.id]);
    assert!(history[0].retired_at.is_none());
    let retired_at = history[1].retired_at;
    assert!(retired_at.is_some());
    table.retire(first.id).await.expect(ANSWERS);
    let again = table.get(&[first.id]).await.expect(ANSWERS);
    assert_eq!(again[0].retired_at, retired_at, "the first time counts");
}

async fn wrapping_is_replaced_by_compare_and_set(table: &dyn KeyTable) {
    let row = table.insert_if_absent(key(1, "user:1")).await.expect(ANSWERS);
    let (id, old) = (row.id, row.wrapped.clone());
    assert!(!table.replace_wrapping(id, b"other", b"new", "root2").await.expect(ANSWERS));
    assert_eq!(table.find("user:1").await.expect(ANSWERS), Some(row.clone()));
    assert!(table.replace_wrapping(id, &old, b"new", "root2").await.expect(ANSWERS));
    assert!(!table.replace_wrapping(id, &old, b"newer", "root3").await.expect(ANSWERS));
    let changed = WrappedKey { wrapped: b"new".to_vec(), root_id: "root2".to_owned(), ..row };
    assert_eq!(table.get(&[id]).await.expect(ANSWERS), [changed]);
    assert!(!table.replace_wrapping(key_id(9), b"", b"new", "root2").await.expect(ANSWERS));
}

async fn a_destroyed_key_leaves_its_row_and_its_name(table: &dyn KeyTable) {
    let row = table.insert_if_absent(key(1, "user:1")).await.expect(ANSWERS);
    table.destroy(row.id).await.expect(ANSWERS);
    let destroyed = table.find("user:1").await.expect(ANSWERS).expect("the row stays");
    assert!(destroyed.wrapped.is_empty() && destroyed.destroyed_at.is_some());
    assert!(!table.replace_wrapping(row.id, b"", b"new", "root2").await.expect(ANSWERS));
    assert_eq!(table.insert_if_absent(key(2, "user:1")).await.expect(ANSWERS), destroyed);
    table.destroy(row.id).await.expect(ANSWERS);
    assert_eq!(table.get(&[row.id]).await.expect(ANSWERS), [destroyed]);
}

async fn pages_are_complete_and_in_order(table: &dyn KeyTable) {
    for number in [5, 3, 1, 4, 2, u128::MAX, 1 << 127] {
        let name = format!("user:{number}");
        table.insert_if_absent(key(number, &name)).await.expect(ANSWERS);
    }
    let (mut after, mut ids) = (None, Vec::new());
    loop {
        let page = table.list(after, 2).await.expect(ANSWERS);
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        ids.extend(page.iter().map(|row| row.id));
    }
    assert_eq!(ids, [1, 2, 3, 4, 5, 1 << 127, u128::MAX].map(key_id));
    assert_eq!(table.list(None, PAGE_MAX).await.expect(ANSWERS).len(), 7);
}

async fn of_64_parallel_inserts_one_wins(table: Arc<dyn KeyTable>) {
    let callers = (1..=64).map(|number| {
        let table = Arc::clone(&table);
        tokio::spawn(async move { table.insert_if_absent(key(number, "user:1")).await })
    });
    let mut winners = HashSet::new();
    for caller in callers.collect::<Vec<_>>() {
        winners.insert(caller.await.expect("no caller panics").expect(ANSWERS).id);
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(table.list(None, PAGE_MAX).await.expect(ANSWERS).len(), 1);
}

fn key(number: u128, name: &str) -> NewKey {
    let wrapped = format!("wrapped {number}").into_bytes();
    NewKey { id: key_id(number), name: name.to_owned(), wrapped, root_id: "root1".to_owned() }
}

fn key_id(number: u128) -> KeyId {
    KeyId::new(uuid::Uuid::from_u128(number))
}
