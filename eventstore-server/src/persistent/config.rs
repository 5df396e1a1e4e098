//! A group's configuration: what it follows, from where, and how it hands out. Kept as JSON in a stream of the log.

use keynest_domain::StreamName;
use serde::{Deserialize, Serialize};
use tonic::Status;

use crate::filter::{Filter, Subject};
use crate::names::stored;
use crate::proto::event_store::client::persistent_subscriptions::create_req;
use crate::proto::event_store::client::persistent_subscriptions::update_req;

/// What a group is called by, and what it follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct GroupKey {
    /// None for all streams.
    pub stream: Option<String>,
    pub group: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Config {
    pub settings: Settings,
    /// As the client asked for it.
    pub start: Start,
    /// The first revision or position that it reads.
    pub first: u64,
    pub filter: Option<FilterText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Start {
    Beginning,
    At(u64),
    End,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FilterText {
    pub is_on_stream: bool,
    pub regex: String,
    pub prefixes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub resolves_links: bool,
    pub extra_statistics: bool,
    pub message_timeout_ms: i32,
    pub retries_max: i32,
    pub checkpoint_after_ms: i32,
    pub checkpoint_events_min: i32,
    pub checkpoint_events_max: i32,
    pub subscribers_max: i32,
    pub live_buffer_size: i32,
    pub read_batch_size: i32,
    pub history_buffer_size: i32,
    pub strategy: String,
}

impl GroupKey {
    /// As the protocol calls what is followed.
    pub(super) fn source(&self) -> &str {
        self.stream.as_deref().unwrap_or("$all")
    }

    /// Where it has come.
    pub(super) fn checkpoints(&self) -> String {
        format!("$persistentsubscription-{}::{}-checkpoint", self.source(), self.group)
    }

    /// What it could not hand out.
    pub(super) fn parked(&self) -> String {
        format!("$persistentsubscription-{}::{}-parked", self.source(), self.group)
    }

    pub(super) fn stream(&self) -> Option<StreamName> {
        self.stream.as_deref().map(stored)
    }

    /// A place as it is printed: a revision, or a position twice.
    pub(super) fn place(&self, place: i64) -> String {
        match self.stream {
            Some(_) => place.to_string(),
            None => format!("C:{place}/P:{place}"),
        }
    }
}

impl Config {
    pub(super) fn filter(&self) -> Result<Option<Filter>, Status> {
        let Some(text) = self.filter.clone() else { return Ok(None) };
        let on = if text.is_on_stream { Subject::Stream } else { Subject::Type };
        Filter::new(on, text.regex, text.prefixes, None, 1).map(Some)
    }

    pub(super) fn start_text(&self, key: &GroupKey) -> String {
        key.place(match self.start {
            Start::Beginning => 0,
            Start::At(place) => place.cast_signed(),
            Start::End => -1,
        })
    }
}

/// The messages for creating and updating are two of the same shape.
macro_rules! settings_from {
    ($settings:expr, $module:ident, $strategy:expr) => {{
        use $module::settings::{CheckpointAfter, MessageTimeout};
        let it = $settings;
        Settings {
            resolves_links: it.resolve_links,
            extra_statistics: it.extra_statistics,
            message_timeout_ms: match it.message_timeout {
                Some(MessageTimeout::MessageTimeoutMs(ms)) => ms,
                Some(MessageTimeout::MessageTimeoutTicks(ticks)) => millis(ticks),
                None => 30_000,
            },
            retries_max: it.max_retry_count,
            checkpoint_after_ms: match it.checkpoint_after {
                Some(CheckpointAfter::CheckpointAfterMs(ms)) => ms,
                Some(CheckpointAfter::CheckpointAfterTicks(ticks)) => millis(ticks),
                None => 2_000,
            },
            checkpoint_events_min: it.min_checkpoint_count,
            checkpoint_events_max: it.max_checkpoint_count,
            subscribers_max: it.max_subscriber_count,
            live_buffer_size: it.live_buffer_size,
            read_batch_size: it.read_batch_size,
            history_buffer_size: it.history_buffer_size,
            strategy: $strategy,
        }
        .checked()
    }};
}

/// The old way to say how events are shared out.
fn strategy_of(number: i32) -> String {
    match number {
        0 => "DispatchToSingle",
        2 => "Pinned",
        _ => "RoundRobin",
    }
    .to_owned()
}

fn millis(ticks: i64) -> i32 {
    i32::try_from(ticks / 10_000).unwrap_or(i32::MAX)
}

#[expect(deprecated, reason = "clients still send the old field")]
pub(super) fn created(it: create_req::Settings) -> Result<Settings, Status> {
    let strategy = match &*it.consumer_strategy {
        "" => strategy_of(it.named_consumer_strategy),
        named => named.to_owned(),
    };
    settings_from!(it, create_req, strategy)
}

pub(super) fn updated(it: update_req::Settings) -> Result<Settings, Status> {
    let strategy = strategy_of(it.named_consumer_strategy);
    settings_from!(it, update_req, strategy)
}

impl Settings {
    fn checked(self) -> Result<Self, Status> {
        let refuse = |why: &str| Err(Status::invalid_argument(why));
        match &*self.strategy {
            "DispatchToSingle" | "RoundRobin" | "Pinned" | "PinnedByCorrelation" => {}
            _ => return refuse("unknown consumer strategy"),
        }
        if self.message_timeout_ms < 0 || self.checkpoint_after_ms < 0 || self.retries_max < 0 {
            return refuse("times and counts are not negative");
        }
        if self.live_buffer_size <= 0 || self.read_batch_size <= 0 || self.history_buffer_size <= 0
        {
            return refuse("buffers hold something");
        }
        if self.read_batch_size >= self.history_buffer_size {
            return refuse("a batch is smaller than the history buffer");
        }
        Ok(self)
    }
}
