//! `keynest replay`: the events of the log as others are told of them. What is sealed stays null (decision 95).

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use keynest_domain::{OrganizationId, UserId, moment};
use keynest_store::{EventFilter, NamePattern, Position, Recorded, cloud_event};

use super::progress;
use super::say::is_read;
use crate::product::Product;

/// Events that are read from the log at once.
const READ_AT_ONCE: usize = 1_000;

#[derive(Debug, Args)]
pub struct Options {
    /// Only what came after this position, or what was recorded from this day or moment on: 1200, 2026-01-31,
    /// 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// Nothing after this position, or nothing that was recorded after this day or from this moment on.
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// Names of events, or beginnings such as `project.*`, with commas between them.
    #[arg(long = "type", value_name = "NAMES", value_parser = types)]
    types: Option<Names>,
    /// Streams such as `project-17`, or kinds such as `project-*`, with commas between them.
    #[arg(long = "stream", value_name = "NAMES", value_parser = streams)]
    streams: Option<Names>,
    /// Events of this organization.
    #[arg(long, value_name = "ID")]
    organization: Option<i64>,
    /// Events that this person or service caused.
    #[arg(long, value_name = "ID")]
    actor: Option<i64>,
    /// Go on with what comes, until `--to`, Ctrl-C or SIGTERM, or until nobody reads any more.
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Debug)]
struct Names(Vec<NamePattern>);

fn types(text: &str) -> Result<Names, String> {
    NamePattern::types(text).map(Names).ok_or_else(|| "no event has such a name".to_owned())
}

fn streams(text: &str) -> Result<Names, String> {
    NamePattern::streams(text).map(Names).ok_or_else(|| "no stream has such a name".to_owned())
}

pub(super) async fn run(product: &Product, options: Options) -> anyhow::Result<()> {
    let after = match &options.from {
        Some(text) => place(product, text, moment::from).await?,
        None => Position::START,
    };
    let head = product.store.head().await?;
    let until = match &options.to {
        Some(text) if options.follow && moment::until(text).is_some() => {
            bail!("--follow ends at a position, not at a moment")
        }
        Some(text) => Some(place(product, text, moment::until).await?),
        None if options.follow => None,
        None => Some(head),
    };
    let filter = EventFilter {
        types: options.types.map_or_else(Vec::new, |names| names.0),
        streams: options.streams.map_or_else(Vec::new, |names| names.0),
        actor: options.actor.map(UserId::new),
        organization: options.organization.map(OrganizationId::new),
    };
    let mut replay = Replay { product, filter, until, out: Out::new() };
    let after = replay.past(after, head).await?;
    if let (Some(after), true) = (after, options.follow) {
        tokio::select! {
            done = replay.live(after) => done?,
            stopped = stopped() => stopped.context("listen for signals")?,
        }
    }
    Ok(())
}

/// A position as it is shown, or a moment.
async fn place(
    product: &Product,
    text: &str,
    read: fn(&str) -> Option<keynest_domain::Timestamp>,
) -> anyhow::Result<Position> {
    if let Ok(position) = text.parse() {
        return Ok(Position::from_stored(position));
    }
    let Some(at) = read(text) else {
        bail!("{text} is neither a position nor a day nor a moment such as 2026-01-31T12:00:00Z");
    };
    Ok(product.store.position_before(at).await?)
}

async fn stopped() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}

struct Replay<'a> {
    product: &'a Product,
    filter: EventFilter,
    /// `None`: without end.
    until: Option<Position>,
    out: Out,
}

impl Replay<'_> {
    /// What there is already. Answers where to go on; `None`: it is over.
    async fn past(
        &mut self,
        mut after: Position,
        head: Position,
    ) -> anyhow::Result<Option<Position>> {
        let store = &self.product.store;
        let last = self.until.map_or(head, |until| until.min(head));
        let bar = bar(store.count_between(after, last).await?);
        while after < last {
            let events = store.read_all(after, READ_AT_ONCE).await?;
            let Some(newest) = events.last() else { break };
            bar.inc(events.iter().filter(|event| event.position <= last).count() as u64);
            after = newest.position;
            if !self.tell(&events)? {
                return Ok(None);
            }
        }
        bar.finish_and_clear();
        Ok(self.until.is_none_or(|until| after < until).then_some(after))
    }

    /// What comes.
    async fn live(&mut self, after: Position) -> anyhow::Result<()> {
        let mut news = self.product.store.subscribe(after);
        while self.until.is_none_or(|until| news.position() < until) {
            let events = news.next_batch(READ_AT_ONCE).await?;
            if !self.tell(&events)? {
                break;
            }
        }
        Ok(())
    }

    /// Answers whether anybody reads.
    fn tell(&mut self, events: &[Recorded]) -> anyhow::Result<bool> {
        let source = self.product.config.public.url.as_str();
        for recorded in
            events.iter().filter(|it| self.until.is_none_or(|until| it.position <= until))
        {
            if !self.filter.takes(recorded) {
                continue;
            }
            let position = recorded.position.to_stored();
            let told = cloud_event(recorded, source, position)
                .with_context(|| format!("read the event at position {position}"))?;
            if !self.out.line(&told.to_string())? {
                return Ok(false);
            }
        }
        Ok(self.out.flush()?)
    }
}

/// The standard output, told to whoever reads in large pieces.
struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    fn line(&mut self, line: &str) -> io::Result<bool> {
        is_read(writeln!(self.0, "{line}"))
    }

    fn flush(&mut self) -> io::Result<bool> {
        is_read(self.0.flush())
    }
}

/// Beside the lines, not between them: only where they go somewhere else than to the terminal.
fn bar(events: u64) -> ProgressBar {
    if io::stdout().is_terminal() { ProgressBar::hidden() } else { progress::bar("events", events) }
}
