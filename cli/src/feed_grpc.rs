//! The event feed over gRPC: the callers of the API, let in by the same rules, for the official clients of KurrentDB.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use async_trait::async_trait;
use bytes::Bytes;
use keynest_api::middleware::Proxies;
use keynest_api::server::Stop;
use keynest_api::{App, FeedCall, Followed, FollowedPart, Follower, Problem};
use keynest_domain::StreamName;
use keynest_eventstore_server::{
    Call, FeedOptions, FeedTls, Gate, Part, Reader, Refusal, Told, serve_feed,
};
use keynest_store::{Position, Revision};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::serve::listen;

/// Serves it beside the API, if it is configured; ends when the wish to stop has been fulfilled.
pub(crate) async fn start(
    config: &Config,
    app: &App,
    proxies: &Proxies,
    stop: &Stop,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let options = options(config)?;
    let Some(address) = config.feed.grpc_listen else { return Ok(None) };
    let listener = listen(address).await?;
    let listen = listener.local_addr().context("read the listener's address")?;
    let is_tls = options.tls.is_some();
    tracing::info!(%listen, is_tls, "the event feed is served over gRPC");
    let draining = stop.drain.clone();
    let gate = FeedGate { app: app.clone(), proxies: proxies.clone(), draining: draining.clone() };
    let now = stop.now.clone();
    Ok(Some(tokio::spawn(async move {
        let draining = Box::pin(async move { draining.cancelled_owned().await });
        let serving = serve_feed(gate, listener, options, futures::FutureExt::shared(draining));
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::error!(%error, "the event feed over gRPC has ended");
            },
            () = now.cancelled() => {}
        }
    })))
}

/// What the server is told of the configuration.
pub(crate) fn options(config: &Config) -> anyhow::Result<FeedOptions> {
    let feed = &config.feed;
    let read = |path: &Path, key: &str| {
        std::fs::read(path).with_context(|| format!("read {key} {}", path.display()))
    };
    let (certificate, key) = (&*feed.grpc_certificate_file, &*feed.grpc_key_file);
    let tls = match (certificate.as_os_str().is_empty(), key.as_os_str().is_empty()) {
        (true, true) => None,
        (false, false) => Some(FeedTls {
            certificate: read(certificate, "feed.grpc_certificate_file")?,
            key: read(key, "feed.grpc_key_file")?,
        }),
        _ => bail!("feed.grpc_certificate_file and feed.grpc_key_file: both or none"),
    };
    Ok(FeedOptions {
        connections_max: feed.grpc_connections_max,
        streams_max: feed.grpc_streams_max,
        message_bytes_max: feed.grpc_message_bytes_max,
        keep_alive: Duration::from_secs(feed.grpc_keep_alive_seconds.into()),
        drain: Duration::from_millis(config.http.drain_timeout_ms),
        tls,
    })
}

struct FeedGate {
    app: App,
    proxies: Proxies,
    draining: CancellationToken,
}

#[async_trait]
impl Gate for FeedGate {
    async fn admit(&self, call: Call) -> Result<Box<dyn Reader>, Refusal> {
        let Call { headers, peer } = call;
        let call = FeedCall { headers, peer, draining: self.draining.clone() };
        let follower = Follower::admit(&self.app, &self.proxies, call).await.map_err(refusal)?;
        Ok(Box::new(Admitted(follower)))
    }
}

struct Admitted(Follower);

#[async_trait]
impl Reader for Admitted {
    async fn before(&self, place: u64) -> Result<Position, Refusal> {
        self.0.before(place).await.map_err(refusal)
    }

    async fn part(&mut self, after: Position, limit: u32) -> Result<Part, Refusal> {
        self.0.part(after, limit).await.map(part).map_err(refusal)
    }

    async fn part_before(&mut self, before: Position, limit: u32) -> Result<Part, Refusal> {
        self.0.part_before(before, limit).await.map(part).map_err(refusal)
    }

    async fn stream_events(&self, stream: &StreamName) -> Result<Option<u32>, Refusal> {
        self.0.stream_events(stream).await.map_err(refusal)
    }

    async fn stream_part(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<Told>, Revision), Refusal> {
        let found = self.0.stream_part(stream, after, limit).await;
        let (events, until) = found.map_err(refusal)?;
        Ok((events.into_iter().map(told).collect(), until))
    }

    async fn wait(&mut self) -> Result<bool, Refusal> {
        self.0.wait().await.map_err(refusal)
    }
}

fn part(found: FollowedPart) -> Part {
    let FollowedPart { events, until, is_end } = found;
    Part { events: events.into_iter().map(told).collect(), until, is_end }
}

/// The parts of a CloudEvent where the protocol has them.
fn told(followed: Followed) -> Told {
    let Followed { place, recorded, mut told } = followed;
    let data = told["data"].take();
    let mut metadata = json!({});
    for (name, member) in [
        ("version", "version"),
        ("source", "source"),
        ("actor", "actor"),
        ("organization", "organization"),
        ("$causationId", "causation"),
        ("$correlationId", "correlation"),
    ] {
        if let Some(value) = told.get(member) {
            metadata[name] = value.clone();
        }
    }
    let kind = told.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    Told {
        id: recorded.event_id.get(),
        stream: recorded.stream.as_str().to_owned(),
        revision: u64::from(recorded.revision.get()).saturating_sub(1),
        place,
        kind,
        metadata: Bytes::from(metadata.to_string()),
        data: Bytes::from(data.to_string()),
        recorded_at: recorded.recorded_at,
    }
}

/// As HTTP would have refused it: the code, and what happened.
fn refusal(problem: Problem) -> Refusal {
    let why = format!("{}: {}", problem.code(), problem.text());
    match (problem.code(), problem.status().as_u16()) {
        ("credentials_missing", _) | (_, 401) => Refusal::NotSignedIn(why),
        (_, 429) | ("busy", _) => Refusal::Busy(why),
        (_, 500..) => Refusal::Unavailable(why),
        _ => Refusal::Denied(why),
    }
}
