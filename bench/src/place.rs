//! Where a section works: a database of its own on the server of `DATABASE_URL`, and a data directory with its root key.
//! The product of this process and instances of the command can share one.

use std::path::Path;

use anyhow::Context;
use keynest_cli::config::Config;
use keynest_cli::database::Database;
use keynest_cli::product::Product;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;

/// A database and a data directory. The database goes with [`Place::leave`], or with the server.
pub struct Place {
    name: String,
    server: PgConnectOptions,
    data: TempDir,
    url: String,
}

impl Place {
    /// A fresh one.
    pub async fn new(section: &str) -> anyhow::Result<Self> {
        let url = server_url()?;
        let server: PgConnectOptions = url.parse().context("read DATABASE_URL")?;
        let name = format!("bench_{section}_{}", std::process::id());
        let create = AssertSqlSafe(format!("create database {name}"));
        let mut connection = server.connect().await.context("connect to Postgres")?;
        sqlx::raw_sql(create).execute(&mut connection).await.context("create a database")?;
        connection.close().await?;
        let url = with_database(&url, &name).context("DATABASE_URL names a database")?;
        Ok(Self { name, server, data: tempfile::tempdir()?, url })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A connection as a client of Postgres has it.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        self.server.clone().database(&self.name).connect().await.context("connect to Postgres")
    }

    /// The parts of the product in this process, over the same database and keys.
    pub async fn product(&self) -> anyhow::Result<Product> {
        open(&self.url, self.data()).await
    }

    /// Drops the database, whoever is still connected.
    pub async fn leave(self) -> anyhow::Result<()> {
        let drop = AssertSqlSafe(format!("drop database {} with (force)", self.name));
        let mut connection = self.server.connect().await?;
        sqlx::raw_sql(drop).execute(&mut connection).await.context("drop the database")?;
        Ok(())
    }
}

/// The product over a database and the root key of a data directory, each made if it is not there.
pub async fn open(url: &str, data: &Path) -> anyhow::Result<Product> {
    let config: Config =
        serde_json::from_value(json!({ "data_dir": data, "database": { "url": url } }))?;
    let database = Database::start(&config).await?;
    Product::open(config, &database).await
}

/// The server that `make bench` starts.
pub fn server_url() -> anyhow::Result<String> {
    std::env::var("DATABASE_URL").context("DATABASE_URL is not set; `make bench` starts a Postgres")
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(a, p)| (a, Some(p)));
    let (server, _) = address.rsplit_once('/')?;
    let parameters = parameters.map(|it| format!("?{it}")).unwrap_or_default();
    Some(format!("{server}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_keeps_server_and_parameters() {
        let url = with_database("postgres://u:p@h:1/postgres?a=b", "x");
        assert_eq!(url.as_deref(), Some("postgres://u:p@h:1/x?a=b"));
        assert_eq!(with_database("postgres://h/one", "two").as_deref(), Some("postgres://h/two"));
    }
}
