//! Several processes that append to one log.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, ensure};
use clap::Args;
use keynest_commands::Clock;
use serde_json::Value;
use sqlx::PgConnection;
use tokio::process::Command;

use super::appending::{Client, Streams, batch, head};
use crate::load::{Load, Span, closed};
use crate::place::{Place, open, server_url};

/// Clients of all processes together.
const CLIENTS: usize = 64;

/// The hidden subcommand.
#[derive(Args)]
pub struct Options {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    clients: usize,
    #[arg(long)]
    warm_up: u64,
    #[arg(long)]
    counted: u64,
}

/// One process of several: prints its load.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let product = open(&server_url()?, &options.data).await?;
    let clock = Clock::default();
    let client = |_| Client::new(&product.store, &clock, Streams::Own);
    let clients = (0..options.clients).map(client).collect();
    let span = Span::millis(options.warm_up, options.counted);
    let load = closed(clients, span).await?.0;
    println!("{}", load.to_json("child"));
    Ok(())
}

/// Load of all together, and events of one commit.
pub async fn measure(
    place: &Place,
    connection: &mut PgConnection,
    processes: usize,
    span: Span,
) -> anyhow::Result<(Load, f64)> {
    let before = head(connection).await?;
    let mut children = Vec::new();
    for _ in 0..processes {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("append").arg("--data").arg(place.data()).env("DATABASE_URL", place.url());
        command.args(["--clients", &(CLIENTS / processes).to_string()]);
        command.args(["--warm-up", &span.warm_up.as_millis().to_string()]);
        command.args(["--counted", &span.counted.as_millis().to_string()]);
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped());
        children.push(command.spawn().context("start a process that appends")?);
    }
    let mut all = Load::default();
    for child in children {
        let output = child.wait_with_output().await?;
        ensure!(output.status.success(), "a process that appends failed");
        let told: Value = serde_json::from_slice(&output.stdout)?;
        all.join(&Load::from_json(&told)?);
    }
    Ok((all, batch(connection, before).await?))
}
