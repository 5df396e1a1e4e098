//! Keys that are gone for good: those of old days, what the ledger and the log must know of them, and what a restored
//! database still holds (DESIGN 5).

use keynest_commands::{CommandError, Commands, Origin};
use keynest_domain::key::{DataKey, Event};
use keynest_domain::{Aggregate, KeyId, Lifetime, Subject, Timestamp};
use keynest_store::{EventStore, ReadError, Recorded, Subscription, decode};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::key_ledger::{DestroyedKey, KeyLedger, LedgerError};

/// How long addresses and agents of anonymous callers stay readable.
pub const DAY_KEYS_KEPT: Lifetime = Lifetime::from_days(90);

/// How long the address of an erased person is kept for the last mail; longer than all tries together.
pub const FAREWELL_KEPT: Lifetime = Lifetime::from_days(3);

const SECONDS_A_DAY: i64 = 86_400;
/// As [`Subject::Day`] is called in the key table; `;` is the character after `:`.
const NAMES: (&str, &str) = ("day:", "day;");
/// Rows taken from the key table at once.
const PAGE: i64 = 1_000;
/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;
/// How much later than its time a row of the key table may appear.
const OVERLAP: Lifetime = Lifetime::from_minutes(5);
/// Pause after the log or the key table could not be reached.
const RETRY_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Why keys were not dealt with; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum DestroyedKeysError {
    /// The key table cannot be read.
    #[error("list keys")]
    Table(#[from] sqlx::Error),
    /// A key could not be destroyed or announced.
    #[error("destroy a key")]
    Command(#[from] CommandError),
    /// The ledger cannot be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Destroys at most `limit` keys of days before the last [`DAY_KEYS_KEPT`], oldest first. Answers how many.
pub(crate) async fn destroy_old(
    pool: &PgPool,
    commands: &Commands,
    limit: u32,
) -> Result<u64, DestroyedKeysError> {
    let oldest_kept = (commands.clock().now() - DAY_KEYS_KEPT).seconds() / SECONDS_A_DAY;
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
        let origin = Origin::product(commands.clock().request_id());
        commands.destroy_key(&origin, Subject::Day(day)).await?;
        tracing::info!(day, "the key of a day's anonymous callers was destroyed");
        destroyed += 1;
    }
    Ok(destroyed)
}

/// Destroys the keys of last letters that were never sent: nobody is remembered longer for the sake of a mail.
pub(crate) async fn destroy_unsent(
    pool: &PgPool,
    commands: &Commands,
    limit: u32,
) -> Result<u64, DestroyedKeysError> {
    let oldest_kept = commands.clock().now() - FAREWELL_KEPT;
    let names = sqlx::query_scalar!(
        "select name from data_keys where name >= 'farewell:' and name < 'farewell;' and created_at < $1
             and retired_at is null and destroyed_at is null
         order by name limit $2",
        time::OffsetDateTime::from(oldest_kept),
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    let mut destroyed = 0;
    for subject in names.iter().filter_map(|name| name.parse::<Subject>().ok()) {
        let origin = Origin::product(commands.clock().request_id());
        commands.destroy_key(&origin, subject).await?;
        destroyed += 1;
    }
    Ok(destroyed)
}

/// Says in the log what the key table knows to be destroyed and the log does not: read models would go on showing what
/// no rebuild could write. Answers how many.
pub(crate) async fn announce(
    pool: &PgPool,
    commands: &Commands,
) -> Result<u64, DestroyedKeysError> {
    let unsaid = sqlx::query!(
        r#"select k.id, k.name from data_keys k
           where k.destroyed_at is not null and k.name like '%:%'
               and not exists (select from streams s where s.name = 'key-' || k.id)
           order by k.destroyed_at, k.id limit $1"#,
        PAGE
    )
    .fetch_all(pool)
    .await?;
    let mut announced = 0;
    for row in unsaid {
        let Ok(subject) = row.name.parse::<Subject>() else { continue };
        let origin = Origin::product(commands.clock().request_id());
        commands.announce_destroyed(&origin, KeyId::new(row.id), subject).await?;
        announced += 1;
    }
    Ok(announced)
}

/// Writes into the ledger which data keys are destroyed. `since` is where the last call came to; it starts at the epoch.
pub async fn note_in_ledger(
    pool: &PgPool,
    ledger: &KeyLedger,
    since: &mut Timestamp,
    now: Timestamp,
) -> Result<(), DestroyedKeysError> {
    let mut after = (*since - OVERLAP, KeyId::new(uuid::Uuid::nil()));
    loop {
        let rows = sqlx::query!(
            r#"select id, name, destroyed_at as "destroyed_at!" from data_keys
               where destroyed_at is not null and (destroyed_at, id) > ($1, $2)
               order by destroyed_at, id limit $3"#,
            time::OffsetDateTime::from(after.0),
            after.1.get(),
            PAGE
        )
        .fetch_all(pool)
        .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (Timestamp::from(last.destroyed_at), KeyId::new(last.id));
        let keys = rows.iter().filter_map(|row| {
            let subject = row.name.parse().ok()?;
            Some(DestroyedKey { key: KeyId::new(row.id), subject })
        });
        ledger.note(&keys.collect::<Vec<_>>(), now)?;
        *since = after.0;
    }
}

/// Before anything is served: a database that was restored from a backup holds keys that the ledger knows to be
/// destroyed; they are destroyed again, and the log says so. Answers how many there were.
pub async fn apply_ledger(
    pool: &PgPool,
    commands: &Commands,
    ledger: &KeyLedger,
) -> Result<usize, DestroyedKeysError> {
    let mut destroyed = 0;
    for page in ledger.keys().chunks(usize::try_from(PAGE).unwrap_or(1)) {
        let ids: Vec<_> = page.iter().map(|known| known.key.get()).collect();
        let living = sqlx::query!(
            "select id, name from data_keys where id = any($1) and destroyed_at is null order by id limit $2",
            &ids,
            PAGE
        )
        .fetch_all(pool)
        .await?;
        for row in living {
            let Ok(subject) = row.name.parse::<Subject>() else { continue };
            let origin = Origin::product(commands.clock().request_id());
            // First the account, while its names can still be read and released.
            if let Subject::User(user) = subject {
                commands.erase_again(&origin, user).await?;
            }
            commands.destroy_key(&origin, subject).await?;
            tracing::warn!(key = %row.id, %subject, "a key from a backup was destroyed again");
            destroyed += 1;
        }
    }
    Ok(destroyed)
}

/// Follows the log: what another process destroyed is noted in this one's ledger, if it has one, and opens nothing here
/// any more. For every process, until told to stop.
pub async fn follow(
    store: EventStore,
    commands: Commands,
    ledger: Option<KeyLedger>,
    stop: CancellationToken,
) -> Result<(), ReadError> {
    let feed = store.subscribe(store.head().await?);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = obey(feed, commands, ledger) => {}
        }
    });
    Ok(())
}

async fn obey(mut feed: Subscription, commands: Commands, ledger: Option<KeyLedger>) {
    loop {
        let batch = match feed.next_batch(BATCH_MAX).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(%error, "the feed of destroyed keys is interrupted");
                tokio::time::sleep(RETRY_PAUSE).await;
                continue;
            }
        };
        let keys: Vec<DestroyedKey> = batch.iter().filter_map(destroyed).collect();
        if keys.is_empty() {
            continue;
        }
        if let Some(Err(error)) =
            ledger.as_ref().map(|ledger| ledger.note(&keys, commands.clock().now()))
        {
            // The janitor's next round writes what is missing.
            tracing::warn!(error = &error as &dyn std::error::Error, "keys are noted later");
        }
        let ids: Vec<KeyId> = keys.iter().map(|it| it.key).collect();
        while let Err(error) = commands.keyring().destroy_all(&ids).await {
            tracing::warn!(%error, "announced keys are not destroyed yet");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

fn destroyed(recorded: &Recorded) -> Option<DestroyedKey> {
    if recorded.stream.category() != DataKey::CATEGORY {
        return None;
    }
    match decode(recorded).map(Event::try_from) {
        Ok(Ok(Event::KeyDestroyed(it))) => Some(DestroyedKey { key: it.key, subject: it.subject }),
        Ok(Err(_)) => None,
        Err(error) => {
            tracing::error!(%error, position = ?recorded.position, "cannot read which key is destroyed");
            None
        }
    }
}
