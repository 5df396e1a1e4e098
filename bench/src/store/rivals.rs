//! Others in the same run: a lock per append, as one writes it first, and two event stores for Rust on Postgres.

use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::process::Command;
use uuid::Uuid;

use super::{Measured, Streams};
use crate::load::{Caller, Load, Span, closed};
use crate::place::Place;
use crate::plot::Plot;
use crate::table::Table;

/// Packages of `bench/rivals`.
const PACKAGES: [&str; 2] = ["cqrs-es", "disintegrate"];
const LOCKING: &str = "a lock per append";
const TABLES: &str = "create table public.counter (position bigint not null); insert into public.counter values (0); \
     create table public.numbered (position bigint primary key, stream text not null, revision bigint not null, id uuid not null, \
     data bytea not null, unique (stream, revision))";

pub struct Rival {
    name: &'static str,
    load: Load,
    pub raw: Value,
}

/// Each with each number of clients.
pub async fn measure(levels: &[usize], span: Span) -> anyhow::Result<Vec<Rival>> {
    let mut all = Vec::new();
    for clients in levels {
        let load = locking(*clients, span).await?;
        let raw = load.to_json(LOCKING);
        all.push(Rival { name: LOCKING, load, raw });
        for name in PACKAGES {
            let raw = package(name, *clients, span).await.with_context(|| name)?;
            all.push(Rival { name, load: Load::from_json(&raw)?, raw });
        }
    }
    Ok(all)
}

/// In a process of its own, as its dependencies are not the product's.
async fn package(name: &str, clients: usize, span: Span) -> anyhow::Result<Value> {
    let place = Place::new("rival").await?;
    let binary = std::env::current_exe()?.with_file_name("keynest-rivals");
    let mut command = Command::new(&binary);
    command.args([name, &clients.to_string()]);
    command.arg(span.warm_up.as_millis().to_string());
    command.arg(span.counted.as_millis().to_string());
    command.env("DATABASE_URL", place.url()).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    let output = output.with_context(|| format!("start {}", binary.display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {error}");
    place.leave().await?;
    serde_json::from_slice(&output.stdout).context("read its load")
}

struct Locking {
    pool: PgPool,
    stream: String,
    revision: i64,
}

/// Gapless positions by a counter that every append locks until its commit.
async fn locking(clients: usize, span: Span) -> anyhow::Result<Load> {
    let place = Place::new("locking").await?;
    let connections = u32::try_from(clients)?;
    let pool = PgPoolOptions::new().max_connections(connections).connect(place.url()).await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;
    let client = |n| Locking { pool: pool.clone(), stream: format!("bench-{n}"), revision: 0 };
    let load = closed((0..clients).map(client).collect(), span).await?.0;
    pool.close().await;
    place.leave().await?;
    Ok(load)
}

impl Caller for Locking {
    #[expect(clippy::disallowed_methods, reason = "names a row of a comparison")]
    async fn call(&mut self) -> anyhow::Result<bool> {
        self.revision += 1;
        let mut transaction = self.pool.begin().await?;
        let next = "update public.counter set position = position + 1 returning position";
        let position: i64 = sqlx::query_scalar(next).fetch_one(&mut *transaction).await?;
        sqlx::query("insert into public.numbered values ($1, $2, $3, $4, $5)")
            .bind(position)
            .bind(&self.stream)
            .bind(self.revision)
            .bind(Uuid::new_v4())
            .bind(vec![b'x'; 260])
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// KeyNest and the others side by side.
pub fn table(ours: &[Measured], others: &[Rival]) -> Table {
    let head = [
        "appends, own streams",
        "clients",
        "per second",
        "p50, ms",
        "p99, ms",
        "errors",
        "KeyNest is",
    ];
    let mut table = Table::new("Beside others", head);
    for own in ours.iter().filter(|it| it.what == Streams::Own.name()) {
        let clients = own.load.clients;
        let cells = ["KeyNest".to_owned(), clients.to_string()];
        table.row(cells.into_iter().chain(own.load.cells()).chain([String::new()]));
        for rival in others.iter().filter(|it| it.load.clients == clients) {
            let cells = [rival.name.to_owned(), clients.to_string()];
            let times = format!("{:.1} ×", own.load.rate() / rival.load.rate());
            table.row(cells.into_iter().chain(rival.load.cells()).chain([times]));
        }
    }
    table
}

pub fn plot(ours: &[Measured], others: &[Rival]) -> Plot {
    let mut plot = Plot::new("Appends beside others", "clients", "per second");
    let own = ours.iter().filter(|it| it.what == Streams::Own.name());
    plot.line("KeyNest", own.map(|it| (it.load.clients as f64, it.load.rate())).collect());
    for name in [LOCKING].into_iter().chain(PACKAGES) {
        let loads = others.iter().filter(|it| it.name == name).map(|it| &it.load);
        plot.line(name, loads.map(|it| (it.clients as f64, it.rate())).collect());
    }
    plot
}
