//! The composition root: all parts of the product over one database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use keynest_commands::{Clock, Commands};
use keynest_crypto::{
    HashParams, KeyTable, Keyring, PasswordHasher, RelyingParty, RootKey, RootKeys, key_table,
};
use keynest_domain::Lifetime;
use keynest_domain::login::Lockout;
use keynest_domain::session::Lifetimes;
use keynest_domain::user::LinkLimits;
use keynest_projections::{Projections, Queries, ReadOptions, connect_read_pool};
use keynest_store::kurrentdb::{Kurrent, KurrentOptions, is_kept_elsewhere, keep_elsewhere};
use keynest_store::postgres::backup::is_restore_begun;
use keynest_store::postgres::{
    Introduction, Postgres, PostgresIdempotency, PostgresKeyTable, Presence, StoreOptions,
    connect_store_pool,
};
use keynest_store::{EventStore, IdempotencyTable, Position};
use keynest_workers::{Mailbox, WorkTable};
use sqlx::PgPool;

use crate::config::Config;
use crate::database::Database;
use crate::edge::quotas;

/// Everything that a subcommand may use.
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Product {
    pub config: Config,
    pub clock: Clock,
    pub store_pool: PgPool,
    pub read_pool: PgPool,
    pub store: EventStore,
    /// The same, for what only a log in Postgres has.
    pub log: Postgres,
    pub presence: Presence,
    pub keyring: Keyring,
    pub commands: Commands,
    pub queries: Queries,
    pub projections: Projections,
    pub idempotency: IdempotencyTable,
    pub work: WorkTable,
    pub mailbox: Mailbox,
}

impl Product {
    /// Over the configured database, migrated to this version.
    ///
    /// # Errors
    /// When the database cannot be used, or a restore of it has begun and not come to its end.
    pub async fn open(config: Config, database: &Database) -> anyhow::Result<Self> {
        Self::open_as("command", config, database).await
    }

    /// The same for a part that stays.
    ///
    /// # Errors
    /// The same.
    pub async fn open_as(part: &str, config: Config, database: &Database) -> anyhow::Result<Self> {
        let store_pool = store_pool(&config, database).await?;
        if is_restore_begun(&store_pool).await.context("look at the log")? {
            bail!(
                "a restore of this database was interrupted: `keynest restore --in-place` goes on with it"
            );
        }
        Self::open_on(part, config, database, store_pool).await
    }

    /// The same for the end of a restore.
    pub(crate) async fn open_restored(config: Config, database: &Database) -> anyhow::Result<Self> {
        let store_pool = store_pool(&config, database).await?;
        Self::open_on("restore", config, database, store_pool).await
    }

    async fn open_on(
        part: &str,
        config: Config,
        database: &Database,
        store_pool: PgPool,
    ) -> anyhow::Result<Self> {
        let clock = Clock::default();
        let options = store_options(&config);
        let log =
            Postgres::open(store_pool.clone(), &options).await.context("open the event store")?;
        // Before it writes anything: whoever raises the format level counts on everybody that has announced itself.
        let presence = log.announce(introduction(part)).await.context("open the event store")?;
        let store = event_store(&config, &log).await?;
        let table: Arc<dyn KeyTable> = Arc::new(PostgresKeyTable::new(store_pool.clone()));
        let roots = root_keys(&config, table.as_ref()).await?;
        let keyring = Keyring::unlock(roots, table).await.context("open the keyring")?;
        let hasher =
            PasswordHasher::new(hash_params(&config)).context("prepare password hashing")?;
        let commands = Commands::with_settings(
            store.clone(),
            keyring.clone(),
            hasher,
            clock.clone(),
            command_settings(&config),
        );

        let work = WorkTable::new(store_pool.clone());
        take_first_places(&work, &store, &clock).await.context("take the mailer's place")?;

        let connect = database.url.parse().context("read the database URL")?;
        let read_pool = connect_read_pool(connect, &read_options(&config))
            .await
            .context("connect to the read models")?;
        keynest_projections::migrate(&read_pool).await.context("migrate the read models")?;
        let projections = Projections::new(store.clone(), keyring.clone(), read_pool.clone());
        Ok(Self {
            queries: Queries::new(read_pool.clone()),
            idempotency: IdempotencyTable::Postgres(PostgresIdempotency::new(store_pool.clone())),
            work,
            mailbox: Mailbox::new(store_pool.clone(), config.mail.mailbox_messages_max),
            config,
            clock,
            store_pool,
            read_pool,
            store,
            log,
            presence,
            keyring,
            commands,
            projections,
        })
    }

    /// How long the log is. Where positions are not numbers of events, where it ends.
    pub fn extent(&self, head: Position) -> String {
        match &self.store {
            EventStore::Memory(_) | EventStore::Postgres(_) => {
                format!("{} events", head.to_stored())
            }
            EventStore::Kurrent(_) => {
                format!("events up to position {} in a KurrentDB cluster", head.to_stored())
            }
        }
    }

    /// Lets go of the connections.
    pub async fn close(self) {
        self.presence.leave().await;
        self.read_pool.close().await;
        self.store_pool.close().await;
    }
}

/// In the database, or in the cluster that the configuration names: what else the product keeps stays beside it.
async fn event_store(config: &Config, log: &Postgres) -> anyhow::Result<EventStore> {
    let Some(url) = config.store.url.reveal() else {
        if is_kept_elsewhere(log.pool()).await.context("look at the log")? {
            bail!("the log of this database is in a KurrentDB cluster: set `store.url`");
        }
        return Ok(EventStore::Postgres(log.clone()));
    };
    let options = KurrentOptions {
        stream_prefix: config.store.stream_prefix.clone(),
        connect_for: Duration::from_millis(config.store.connect_wait_ms),
        appends_in_flight: config.store.appends_in_flight_max,
        queue_requests: config.store.queue_max,
        queue_bytes: config.store.queue_bytes_max,
        ..KurrentOptions::default()
    };
    let address = url.parse().context("read `store.url`")?;
    let kurrent =
        Kurrent::open(address, options, Some(log.clone())).await.context("open the event store")?;
    keep_elsewhere(log.pool(), kurrent.incarnation()).await.context("open the event store")?;
    Ok(kurrent.into())
}

/// For what only a log in the database has, such as a backup of it.
///
/// # Errors
/// Where the log is in a cluster: the cluster's own tools are for that.
pub fn require_log_in_database(config: &Config, what: &str) -> anyhow::Result<()> {
    if config.store.url.is_set() {
        bail!(
            "log_not_in_database: `keynest {what}` is for a log in the database; this one is in a KurrentDB cluster, whose own tools do that"
        );
    }
    Ok(())
}

/// How this process is called where the others see it.
fn introduction(part: &str) -> Introduction {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Introduction {
        part: part.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: format!("{}/{}", host.trim(), std::process::id()),
    }
}

/// A reactor that never ran begins at the head, since effects are never replayed. So that the first mails of a new product
/// are not lost when its processes are started one after the other, whichever comes first takes the reactors' places.
async fn take_first_places(
    work: &WorkTable,
    store: &EventStore,
    clock: &Clock,
) -> anyhow::Result<()> {
    let (incarnation, head) = (store.incarnation(), store.head().await?);
    work.checkpoint(keynest_workers::MAILER, incarnation, head, clock.now()).await?;
    Ok(())
}

/// The store's connections, with its tables brought to this version.
pub async fn store_pool(config: &Config, database: &Database) -> anyhow::Result<PgPool> {
    let options = store_options(config);
    let pool = connect_store_pool(&database.url, &options).await.context("connect to Postgres")?;
    keynest_store::postgres::migrate(&pool).await.context("migrate the event store")?;
    Ok(pool)
}

/// The root key from the configuration or its file. A fresh one is made only for a database without keys: anything
/// else would make the old secrets unreadable for ever.
async fn root_keys(config: &Config, table: &dyn KeyTable) -> anyhow::Result<RootKeys> {
    let is_first_start = key_table::is_empty(table).await.context("look for keys")?;
    configured_roots(config, is_first_start)
}

/// The same where it is known whether one may be made.
pub(crate) fn configured_roots(config: &Config, may_create: bool) -> anyhow::Result<RootKeys> {
    if let Some(text) = config.keys.root_key.reveal() {
        return Ok(RootKey::parse(text).context("read keys.root_key")?.into());
    }
    let path = config.root_file();
    if may_create && let Some(folder) = path.parent() {
        // With a database elsewhere nobody else has made the data directory yet.
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    match RootKeys::load_or_create(&path, may_create) {
        Ok(roots) => Ok(roots),
        Err(error) if !path.exists() => {
            bail!(
                "the root key {} is missing ({error}); the database's secrets can only be read with it: put the file back",
                path.display()
            )
        }
        Err(error) => Err(error).with_context(|| format!("read the root key {}", path.display())),
    }
}

fn store_options(config: &Config) -> StoreOptions {
    let database = &config.database;
    StoreOptions {
        pool_connections: database.store_connections_max,
        acquire_timeout: Duration::from_millis(database.acquire_timeout_ms),
        lock_timeout: Duration::from_millis(database.lock_timeout_ms),
        statement_timeout: Duration::from_millis(database.statement_timeout_ms),
        idle_in_transaction_timeout: Duration::from_millis(database.idle_in_transaction_timeout_ms),
        silence_max: Duration::from_millis(database.silence_max_ms),
        queue_requests: config.store.queue_max,
        queue_bytes: config.store.queue_bytes_max,
        batch_requests: config.store.batch_requests_max,
        batch_events: config.store.batch_events_max,
        batch_bytes: config.store.batch_bytes_max,
        handover_events: config.store.handover_events_max,
        handover_bytes: config.store.handover_bytes_max,
        ..StoreOptions::default()
    }
}

fn read_options(config: &Config) -> ReadOptions {
    let database = &config.database;
    ReadOptions {
        connections_max: database.read_connections_max,
        acquire_timeout: Duration::from_millis(database.acquire_timeout_ms),
        silence_max: Duration::from_millis(database.silence_max_ms),
    }
}

fn hash_params(config: &Config) -> HashParams {
    let password = &config.password;
    HashParams {
        memory_kib: password.memory_kib,
        passes: password.iterations,
        threads: password.threads,
        queue: password.queue_max,
        ..HashParams::default()
    }
}

/// What decisions are told of the configuration.
fn command_settings(config: &Config) -> keynest_commands::Settings {
    let (hours, minutes, seconds) =
        (Lifetime::from_hours, Lifetime::from_minutes, Lifetime::from_secs);
    let (sessions, lockout, links) = (&config.sessions, &config.lockout, &config.links);
    keynest_commands::Settings {
        fresh_for: seconds(sessions.fresh_seconds),
        challenge_for: seconds(sessions.challenge_seconds),
        relying_party: relying_party(config),
        quotas: quotas(config),
        sessions: Lifetimes {
            idle: hours(sessions.idle_hours),
            absolute: hours(sessions.absolute_hours),
            grace: seconds(sessions.refresh_grace_seconds),
        },
        lockout: Lockout {
            failures_max: lockout.failures_max,
            cool_off_first: seconds(lockout.cool_off_seconds),
            cool_off_max: seconds(lockout.cool_off_max_seconds),
        },
        spraying_accounts: lockout.spraying_accounts,
        known_network: hours(lockout.known_network_hours),
        links: LinkLimits {
            activation: hours(links.activation_hours),
            password_reset: minutes(links.password_reset_minutes),
            activation_interval: seconds(links.activation_interval_seconds),
            password_reset_interval: seconds(links.password_reset_interval_seconds),
            repeated_interval: seconds(links.repeated_registration_interval_seconds),
            email_change: hours(links.email_change_hours),
            email_undo: hours(links.email_undo_hours),
            email_changes_max: links.email_changes_max,
        },
        invitation: hours(links.invitation_hours),
        tokens_per_user_max: config.tokens.per_user_max,
        services_per_organization_max: config.tokens.per_organization_max,
        states_max: config.store.states_max,
        password_chars_min: config.password.length_min,
    }
}

/// The site that passkeys are for. An address instead of a name cannot have any, and the log says so.
fn relying_party(config: &Config) -> Option<RelyingParty> {
    let api = config.public.url.as_str();
    let site = config.frontend.url.as_ref().unwrap_or(&config.public.url).as_str();
    let party = RelyingParty::new(site, api);
    if party.is_none() {
        tracing::warn!(%site, "passkeys are off: they need a host name, not an address");
    }
    party
}

#[cfg(test)]
mod tests;
