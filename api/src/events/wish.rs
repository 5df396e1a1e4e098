//! Which events are asked for.

use std::time::Duration;

use keynest_domain::{Event, OrganizationId, UserId};
use keynest_store::{Position, Recorded, STREAM_NAME_BYTES_MAX};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{App, Problem, min_position};

/// Names in one list at most.
const NAMES_MAX: usize = 50;
/// Instead of a position: from the beginning, and only what is yet to come.
const START: &str = "start";
const END: &str = "end";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A `position` of the feed, or `KeyNest-Position` of any answer: only what came after it. `start`, which is also the
    /// default: from the beginning. `end`: only what is yet to come. A `Last-Event-ID` goes before it.
    after: Option<String>,
    /// Events of this organization alone; 404 and 403 as anywhere if it is not the caller's to audit.
    organization: Option<i64>,
    /// Names of events such as `project.created`, or beginnings such as `project.*`; one or several with commas.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    types: Option<String>,
    /// Streams such as `project-17`, or all of a kind: `project-*`; one or several with commas.
    stream: Option<String>,
    /// Events that this person or service caused.
    actor: Option<i64>,
    /// Events in the answer at most: 100 if absent. Nothing to a stream.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Seconds to wait for an event if there is none yet: 0 if absent. Nothing to a stream.
    #[param(minimum = 0, maximum = 20)]
    wait: Option<u32>,
}

/// A checked wish.
pub struct Wish {
    pub after: Position,
    pub organization: Option<OrganizationId>,
    types: Vec<Pattern>,
    streams: Vec<Pattern>,
    actor: Option<UserId>,
    pub limit: usize,
    pub wait: Duration,
}

/// A name, or how names begin.
enum Pattern {
    Whole(String),
    Beginning(String),
}

impl Pattern {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Whole(whole) => whole == name,
            Self::Beginning(beginning) => name.starts_with(beginning.as_str()),
        }
    }
}

/// `None` if one of them is empty, too long or not known, or there are too many.
fn patterns(text: Option<&str>, is_known: impl Fn(&Pattern) -> bool) -> Option<Vec<Pattern>> {
    let texts: Vec<&str> = text.iter().flat_map(|it| it.split(',')).map(str::trim).collect();
    let patterns = texts.iter().map(|text| {
        let pattern = match text.strip_suffix('*') {
            Some(beginning) => Pattern::Beginning(beginning.to_owned()),
            None => Pattern::Whole((*text).to_owned()),
        };
        let is_name = !text.is_empty() && text.len() <= STREAM_NAME_BYTES_MAX;
        (is_name && is_known(&pattern)).then_some(pattern)
    });
    if texts.len() <= NAMES_MAX { patterns.collect() } else { None }
}

fn is_type(pattern: &Pattern) -> bool {
    Event::catalogue().any(|(name, _)| pattern.fits(name))
}

impl Asked {
    /// Every bad parameter is named.
    pub async fn check(self, app: &App, last_event_id: Option<&str>) -> Result<Wish, Problem> {
        let limits = &app.settings.feed;
        let mut faults = Vec::new();
        let types = patterns(self.types.as_deref(), is_type);
        if types.is_none() {
            faults.push((
                "type",
                "Expected names of events, or beginnings such as project.*.".into(),
            ));
        }
        let streams = patterns(self.stream.as_deref(), |_| true);
        if streams.is_none() {
            faults
                .push(("stream", "Expected names of streams, or kinds such as project-*.".into()));
        }
        let limit = self.limit.unwrap_or(limits.page_size);
        if !(1..=limits.page_size_max).contains(&limit) {
            faults
                .push(("limit", format!("Expected a number from 1 to {}.", limits.page_size_max)));
        }
        let wait = Duration::from_secs(self.wait.unwrap_or_default().into());
        if wait > limits.wait_max {
            let most = limits.wait_max.as_secs();
            faults.push(("wait", format!("Expected a number from 0 to {most}.")));
        }
        let (Some(types), Some(streams), true) = (types, streams, faults.is_empty()) else {
            return Err(Problem::validation(faults));
        };
        Ok(Wish {
            after: place(app, last_event_id.or(self.after.as_deref())).await?,
            organization: self.organization.map(OrganizationId::new),
            types,
            streams,
            actor: self.actor.map(UserId::new),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            wait,
        })
    }
}

async fn place(app: &App, after: Option<&str>) -> Result<Position, Problem> {
    match after {
        None | Some(START) => Ok(Position::START),
        Some(END) => {
            app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))
        }
        Some(token) => min_position::position(app, token).await,
    }
}

impl Wish {
    /// Whether an event is one of those that are asked for.
    pub fn takes(&self, recorded: &Recorded) -> bool {
        let fits =
            |all: &[Pattern], name: &str| all.is_empty() || all.iter().any(|it| it.fits(name));
        fits(&self.types, &recorded.name)
            && fits(&self.streams, recorded.stream.as_str())
            && self.actor.is_none_or(|actor| recorded.metadata.actor == Some(actor))
    }
}
