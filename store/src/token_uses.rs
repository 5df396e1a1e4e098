//! When tokens were last used: no event, written at most once a minute, kept out of rebuilds (DESIGN 12).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keynest_domain::{Lifetime, Timestamp, TokenId};
use sqlx::postgres::PgPool;

use crate::port::ReadError;
use crate::postgres::token_uses as table;

/// Between two writes for one token.
pub const TOKEN_USE_EVERY: Lifetime = Lifetime::from_minutes(1);
/// Tokens whose last write is remembered; beyond it all are forgotten, which costs a write each.
const NOTED_MAX: usize = 100_000;

/// Last uses. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct TokenUses(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// What this process wrote last; without a table, all there is.
    noted: Mutex<HashMap<TokenId, Timestamp>>,
    table: Option<PgPool>,
}

impl TokenUses {
    /// In the table `store.token_uses`.
    pub(crate) fn in_table(pool: PgPool) -> Self {
        Self(Arc::new(Shared { noted: Mutex::default(), table: Some(pool) }))
    }

    /// Notes a use, unless one was noted within the last minute.
    pub async fn note(&self, token: TokenId, at: Timestamp) -> Result<(), ReadError> {
        if !self.is_due(token, at) {
            return Ok(());
        }
        match &self.0.table {
            None => Ok(()),
            Some(pool) => table::write(pool, token, at).await,
        }
    }

    /// When each of these was last used, as far as it ever was.
    pub async fn last(&self, of: &[TokenId]) -> Result<HashMap<TokenId, Timestamp>, ReadError> {
        match &self.0.table {
            Some(pool) => table::read(pool, of).await,
            None => {
                let noted = self.noted();
                Ok(of.iter().filter_map(|id| Some((*id, *noted.get(id)?))).collect())
            }
        }
    }

    fn is_due(&self, token: TokenId, at: Timestamp) -> bool {
        let mut noted = self.noted();
        if noted.get(&token).is_some_and(|last| at < *last + TOKEN_USE_EVERY) {
            return false;
        }
        if noted.len() >= NOTED_MAX {
            noted.clear();
        }
        noted.insert(token, at);
        true
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<TokenId, Timestamp>> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_write_a_minute_for_each_token() {
        let uses = TokenUses::default();
        let at = |seconds| Timestamp::from_micros(0) + Lifetime::from_secs(seconds);
        let [one, two] = [1, 2].map(TokenId::new);
        let due: Vec<bool> = [(one, 0), (one, 59), (two, 59), (one, 60), (one, 61)]
            .into_iter()
            .map(|(token, seconds)| uses.is_due(token, at(seconds)))
            .collect();
        assert_eq!(due, [true, false, true, true, false]);
    }
}
