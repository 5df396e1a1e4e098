//! A consumer of KeyNest's event feed: counts what happens by type, in a JSON file, and goes on where it was.
//!
//! ```sh
//! KEYNEST_URL=https://keynest.example KEYNEST_TOKEN=kn_... event_consumer counts.json   # over HTTP
//! NATS_URL=nats://nats.example:4222 event_consumer counts.json                         # over NATS
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Events that are taken at once.
const BATCH: usize = 100;

/// What was counted, and up to where: in one file, so that both are old or both are new.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Over HTTP: the last `KeyNest-Position`.
    pub after: Option<String>,
    /// Over NATS: the last event.
    pub last: Option<Place>,
    pub events: BTreeMap<String, u64>,
}

/// An event's place in the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct Place {
    pub incarnation: String,
    pub position: u64,
    pub time: String,
}

impl Counts {
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }

    /// Whoever is killed here finds the old file or the new one, never half of it.
    fn store(&self, file: &Path) -> anyhow::Result<()> {
        let next = file.with_extension("next");
        std::fs::write(&next, serde_json::to_vec_pretty(self)?)?;
        Ok(std::fs::rename(next, file)?)
    }

    fn count(&mut self, name: &str) {
        *self.events.entry(name.to_owned()).or_default() += 1;
    }
}

/// One answer of `GET /api/events/`. Answers how many events it had.
pub async fn over_http(url: &str, token: &str, wait: u32, file: &Path) -> anyhow::Result<usize> {
    let mut counts = Counts::load(file)?;
    let after = counts.after.as_deref().unwrap_or("start");
    let url = format!("{url}/api/events/?limit={BATCH}&wait={wait}&after={after}");
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await?;
    if !answer.status().is_success() {
        // 429 and 503 pass and say `Retry-After`; everything else is for a person to look at.
        bail!("{}: {}", answer.status(), answer.text().await?);
    }
    let position = answer.headers().get("keynest-position").context("no position")?;
    let position = position.to_str()?.to_owned();
    let lines = answer.text().await?;
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line)?;
        counts.count(event["type"].as_str().context("an event has a type")?);
    }
    counts.after = Some(position);
    counts.store(file)?;
    Ok(lines.lines().count())
}

/// What NATS has behind the last event, until it is silent for as long as `wait`. Answers how many events that were.
///
/// The place is here and not at NATS, so nothing is acknowledged: an ordered consumer, which NATS forgets when we go, from a
/// little before the last event. The clocks of NATS and of KeyNest need not agree to the minute.
pub async fn over_nats(url: &str, wait: Duration, file: &Path) -> anyhow::Result<usize> {
    let mut counts = Counts::load(file)?;
    let deliver_policy = match &counts.last {
        None => DeliverPolicy::All,
        Some(last) => {
            let start_time =
                OffsetDateTime::parse(&last.time, &Rfc3339)? - Duration::from_secs(600);
            DeliverPolicy::ByStartTime { start_time }
        }
    };
    let stream = jetstream::new(async_nats::connect(url).await?).get_stream("keynest").await?;
    let ordered = OrderedConfig { deliver_policy, ..OrderedConfig::default() };
    let mut messages = stream.create_consumer(ordered).await?.messages().await?;
    let mut new = 0;
    while let Ok(Some(message)) = tokio::time::timeout(wait, messages.next()).await {
        let headers = message?.headers.clone().context("a message has headers")?;
        let text = |name: &str| headers.get(name).map(ToString::to_string).context("a header");
        let here = Place {
            incarnation: text("ce-incarnation")?,
            position: text("ce-position")?.parse()?,
            time: text("ce-time")?,
        };
        if let Some(last) = &counts.last {
            if last.incarnation != here.incarnation {
                bail!("KeyNest was restored from a backup: begin again");
            }
            if here.position <= last.position {
                continue;
            }
            let after = last.position;
            if text("ce-previous")?.parse::<u64>()? > after {
                bail!(
                    "NATS has lost what came after {after}: read it with keynest replay --from {after}"
                );
            }
        }
        counts.count(&text("ce-type")?);
        counts.last = Some(here);
        new += 1;
        if new == BATCH {
            break;
        }
    }
    counts.store(file)?;
    Ok(new)
}

#[tokio::main]
#[expect(clippy::allow_attributes, reason = "the tests of KeyNest use what is above and not this")]
#[allow(dead_code, reason = "unused in the tests of KeyNest")]
pub async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).context("the file to count in is missing")?;
    let file = Path::new(&file);
    loop {
        let new = match std::env::var("NATS_URL") {
            Ok(nats) => over_nats(&nats, Duration::from_secs(20), file).await?,
            Err(_) => {
                let (url, token) = (std::env::var("KEYNEST_URL")?, std::env::var("KEYNEST_TOKEN")?);
                over_http(&url, &token, 20, file).await?
            }
        };
        println!("{new} events");
    }
}
