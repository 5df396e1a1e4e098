//! Keys of anonymous callers' addresses and agents, one per UTC day: destroyed when they are old (DESIGN 5).

use keynest_crypto::{Keyring, KeyringError, Subject};
use keynest_domain::{Lifetime, Timestamp};
use sqlx::PgPool;

/// How long addresses and agents of anonymous callers stay readable.
pub const DAY_KEYS_KEPT: Lifetime = Lifetime::from_days(90);

const SECONDS_A_DAY: i64 = 86_400;
/// As [`Subject::Day`] is called in the key table; `;` is the character after `:`.
const NAMES: (&str, &str) = ("day:", "day;");

/// Why a key was not destroyed; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DayKeysError {
    #[error("list the day keys")]
    Table(#[from] sqlx::Error),
    #[error("destroy a day key")]
    Keyring(#[from] KeyringError),
}

/// Destroys at most `limit` keys of days before the last [`DAY_KEYS_KEPT`], oldest first. Answers how many.
pub(crate) async fn destroy_old(
    pool: &PgPool,
    keyring: &Keyring,
    now: Timestamp,
    limit: u32,
) -> Result<u64, DayKeysError> {
    let oldest_kept = (now - DAY_KEYS_KEPT).seconds() / SECONDS_A_DAY;
    let names = sqlx::query_scalar!(
        "select name from data_keys where name >= $1 and name < $2 and retired_at is null and destroyed_at is null
         order by name limit $3",
        NAMES.0,
        NAMES.1,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    let days = names.iter().filter_map(|name| name.strip_prefix(NAMES.0)?.parse::<u32>().ok());
    let mut destroyed = 0;
    for day in days.filter(|day| i64::from(*day) < oldest_kept) {
        keyring.destroy(Subject::Day(day)).await?;
        tracing::info!(day, "the key of a day's anonymous callers was destroyed");
        destroyed += 1;
    }
    Ok(destroyed)
}
