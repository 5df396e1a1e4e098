//! Which events are asked for.

use std::time::Duration;

use keynest_domain::{OrganizationId, UserId};
use keynest_store::{EventFilter, NamePattern, Position};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{App, Problem, min_position};

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
    /// Rows of the audit log know it, also of events that do not say it themselves.
    pub organization: Option<OrganizationId>,
    pub filter: EventFilter,
    pub limit: usize,
    pub wait: Duration,
}

impl Asked {
    /// Every bad parameter is named.
    pub async fn check(self, app: &App, last_event_id: Option<&str>) -> Result<Wish, Problem> {
        let limits = &app.settings.feed;
        let mut faults = Vec::new();
        let types = self.types.as_deref().map_or(Some(vec![]), NamePattern::types);
        if types.is_none() {
            faults.push((
                "type",
                "Expected names of events, or beginnings such as project.*.".into(),
            ));
        }
        let streams = self.stream.as_deref().map_or(Some(vec![]), NamePattern::streams);
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
        let filter = EventFilter {
            types,
            streams,
            actor: self.actor.map(UserId::new),
            ..EventFilter::default()
        };
        Ok(Wish {
            after: place(app, last_event_id.or(self.after.as_deref())).await?,
            organization: self.organization.map(OrganizationId::new),
            filter,
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
