//! Loading a backup into an empty database, all or nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use keynest_crypto::RootKeys;
use keynest_store::postgres::backup::{Loading, begin_restore_in_place, is_restore_begun};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::fs::File;

use super::manifest::{KEYS, LOG, Manifest, Table};
use crate::config::Config;

/// Where the data comes from.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// From the folders of a backup.
    Folders {
        /// With the log.
        log: PathBuf,
        /// With the keys.
        keys: PathBuf,
    },
    /// It is in the database already: Postgres's own tools brought it there, or a restore was begun.
    InPlace,
}

/// Brings the data into the database and begins another life of the log, which is not served before
/// [`super::renew`]. Answers the settings that were others when the backup was taken: name, then, now.
///
/// # Errors
/// When the backup is damaged or of another kind, the root key is another one, or the database holds data (in place:
/// none). Nothing is changed then.
pub async fn restore(
    pool: &PgPool,
    config: &Config,
    roots: &RootKeys,
    wanted: &Wanted,
    tell: impl Fn(&str),
) -> anyhow::Result<Vec<(String, String, String)>> {
    let Wanted::Folders { log, keys } = wanted else {
        if !is_restore_begun(pool).await.context("look at the log")? {
            let is_begun = begin_restore_in_place(pool).await;
            ensure!(
                is_begun.context("begin another life of the log")?,
                "the database is empty: nothing to restore"
            );
        }
        return Ok(Vec::new());
    };
    tell("checking");
    let of_log = Manifest::check(log, LOG)?;
    let of_keys = Manifest::check(keys, KEYS)?;
    ensure!(of_log.backup == of_keys.backup, "the log and the keys are not of the same backup");
    let missing: Vec<_> = of_keys.root_keys.iter().filter(|id| !roots.includes(id)).collect();
    ensure!(
        missing.is_empty(),
        "the keys are wrapped by the root key {missing:?}, which is not the one at hand: put the root key of then in place"
    );
    let mut loading = Loading::begin(pool).await?;
    for (folder, manifest) in [(keys, &of_keys), (log, &of_log)] {
        for table in &manifest.tables {
            tell(&table.name);
            load(&mut loading, folder, table).await?;
        }
    }
    loading.finish().await?;
    Ok(different(&of_log, config))
}

async fn load(loading: &mut Loading, folder: &Path, table: &Table) -> anyhow::Result<()> {
    let path = folder.join(&table.copied.file);
    let file = File::open(&path).await.with_context(|| format!("read {}", path.display()))?;
    let loaded = loading.table(&table.name, &table.columns, file).await;
    loaded.with_context(|| format!("load the table {}", table.name))?;
    Ok(())
}

/// That no other process is at work on the database: it would have the old life of the log in memory. To be asked before
/// this process connects its pools.
///
/// # Errors
/// When there is one.
pub async fn nobody_else(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await.context("connect to Postgres")?;
    let others: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and application_name = 'keynest-store'",
    )
    .fetch_one(&mut connection)
    .await
    .context("see who is at work on the database")?;
    connection.close().await.context("see who is at work on the database")?;
    ensure!(others == 0, "other KeyNest processes are at work on this database: stop them first");
    Ok(())
}

fn different(manifest: &Manifest, config: &Config) -> Vec<(String, String, String)> {
    let now = config.masked();
    let then = &manifest.configuration;
    let changed = now.iter().filter_map(|(name, now)| {
        let then = then.get(name)?;
        (then != now).then(|| (name.clone(), then.clone(), now.clone()))
    });
    changed.collect()
}
