//! Names of streams by their number, kept in the process: they never change, and a join would look up the most often
//! updated rows of the database once per event.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keynest_domain::StreamName;
use sqlx::postgres::PgPool;
use sqlx::query_as;

/// Names that are kept; then it begins again. About 100 bytes each.
const NAMES_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct StreamNames(Mutex<HashMap<i64, StreamName>>);

impl StreamNames {
    /// The names of these numbers, those without a stream left out.
    pub(super) async fn of(
        &self,
        ids: HashSet<i64>,
        pool: &PgPool,
    ) -> Result<HashMap<i64, StreamName>, sqlx::Error> {
        let mut names: HashMap<i64, StreamName> = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        {
            let known = self.known();
            for id in ids {
                match known.get(&id) {
                    Some(name) => drop(names.insert(id, name.clone())),
                    None => missing.push(id),
                }
            }
        }
        if missing.is_empty() {
            return Ok(names);
        }
        let found: Vec<(i64, String)> =
            query_as("select s.id, s.name from store.streams s where s.id = any($1)")
                .bind(missing)
                .fetch_all(pool)
                .await?;
        let mut known = self.known();
        if known.len() > NAMES_MAX {
            known.clear();
        }
        for (id, name) in found {
            let name = StreamName::from_stored(name);
            known.insert(id, name.clone());
            names.insert(id, name);
        }
        Ok(names)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, StreamName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
