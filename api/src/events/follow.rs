//! The feed for protocols other than HTTP: the same callers, the same scope, the same seats; places are numbers.

use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keynest_domain::{OrganizationId, StreamName, Timestamp};
use keynest_projections::{FeedPlace, Reader};
use keynest_store::{Position, Recorded, Revision};
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::reading::{CHECKED_EVERY, MODELS};
use super::seats::Seat;
use super::standing::Standing;
use super::telling::Telling;
use crate::extract::Principal;
use crate::middleware::Proxies;
use crate::server::Draining;
use crate::{App, Problem};

/// Places are counted from the start of 2020, in microseconds.
const EPOCH_MICROS: i64 = 1_577_836_800_000_000;
/// Places within a microsecond: more than one append has events.
const PLACES_PER_MICRO: u64 = 1 << 13;

/// What a caller came with.
#[derive(Debug)]
pub struct FeedCall {
    /// `authorization` as HTTP has it: a bearer, or basic credentials whose password is the token.
    pub headers: HeaderMap,
    /// The other end of the connection.
    pub peer: Option<SocketAddr>,
    /// Cancelled when the process stops.
    pub draining: CancellationToken,
}

/// An event as its auditors are told of it.
#[derive(Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Followed {
    /// Grows along the log, and tells when something was recorded, not how much others have recorded.
    pub place: u64,
    pub recorded: Recorded,
    /// As `GET /api/events/` answers it.
    pub told: Value,
}

/// Events of a caller's, in the order that was asked for.
#[derive(Debug)]
pub struct FollowedPart {
    /// At most as many as were asked for.
    pub events: Vec<Followed>,
    /// Where to go on in the log; not for callers.
    pub until: Position,
    /// There is nothing further now.
    pub is_end: bool,
}

/// One caller who was let in, for as long as that lasts.
pub struct Follower {
    app: App,
    reader: Reader,
    standing: Standing,
    _seat: Seat,
    /// Whose events could be seen at the last look.
    organizations: Vec<OrganizationId>,
    head: Position,
}

impl Follower {
    /// Lets a caller in exactly as `GET /api/events/` does.
    pub async fn admit(app: &App, proxies: &Proxies, call: FeedCall) -> Result<Self, Problem> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.extensions.insert(proxies.client(call.peer, &call.headers));
        parts.extensions.insert(Draining(call.draining));
        parts.headers = as_bearer(call.headers);
        let caller =
            <Principal as FromRequestParts<App>>::from_request_parts(&mut parts, app).await?;
        let Ok(standing) = Standing::from_request_parts(&mut parts, app).await;
        let seat = app.feed_seats.take(caller.reader.user())?;
        let head =
            app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))?;
        app.wait_for(Some(head), MODELS).await;
        let part = app.queries.feed(&caller.reader, None, head, 1).await?;
        let organizations = part.organizations;
        Ok(Self {
            app: app.clone(),
            reader: caller.reader,
            standing,
            _seat: seat,
            organizations,
            head,
        })
    }

    /// The last position of the log all of whose events up to there are before a place.
    pub async fn before(&self, place: u64) -> Result<Position, Problem> {
        let micros = i64::try_from(place / PLACES_PER_MICRO).unwrap_or(i64::MAX);
        let at = Timestamp::from_micros(micros.saturating_add(EPOCH_MICROS));
        self.app.commands.store().position_before(at).await.map_err(|error| unavailable(&error))
    }

    /// The next events behind a position of the log.
    pub async fn part(&mut self, after: Position, limit: u32) -> Result<FollowedPart, Problem> {
        self.standing.check(&self.app).await?;
        let seats = self.app.feed_seats.clone();
        let _turn = seats.turn().await;
        let part = self.app.queries.feed(&self.reader, None, after, limit).await?;
        self.compare(&part.organizations)?;
        let is_end = part.positions.len() < limit as usize;
        let (events, is_whole) = self.at(&part.positions).await?;
        let last = events.last().map_or(after, |it| it.recorded.position);
        let until = if is_end && is_whole { part.until } else { last };
        Ok(FollowedPart { events, until, is_end: is_end && is_whole })
    }

    /// The last events in front of a position of the log, the latest first.
    pub async fn part_before(
        &mut self,
        before: Position,
        limit: u32,
    ) -> Result<FollowedPart, Problem> {
        self.standing.check(&self.app).await?;
        let _turn = self.app.feed_seats.turn().await;
        let mut positions = self.app.queries.feed_before(&self.reader, before, limit).await?;
        let is_end = positions.len() < limit as usize;
        // A part of many bytes is short of what was recorded last, which would be told first.
        let mut found = Vec::new();
        positions.sort_unstable();
        while !positions.is_empty() {
            let (events, is_whole) = self.at(&positions).await?;
            let Some(last) = events.last().map(|it| it.recorded.position) else { break };
            positions.retain(|it| *it > last);
            found.extend(events);
            if is_whole {
                break;
            }
        }
        found.reverse();
        let until = found.last().map_or(Position::START, |it| it.recorded.position);
        Ok(FollowedPart { events: found, until, is_end })
    }

    /// How many events a stream has, unless none of them is the caller's to see. All events of a stream are of one
    /// organization, so its ends tell.
    pub async fn stream_events(&self, stream: &StreamName) -> Result<Option<u32>, Problem> {
        self.standing.check(&self.app).await?;
        let store = self.app.commands.store();
        let events =
            store.stream_revision(stream).await.map_err(|error| unavailable(&error))?.get();
        let Some(before_last) = events.checked_sub(1) else { return Ok(None) };
        for after in [0, before_last] {
            let (seen, _) = self.stream_part(stream, Revision::new(after), 1).await?;
            if !seen.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// What the caller may see of the next events of a stream, and behind which revision to go on.
    pub async fn stream_part(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<Followed>, Revision), Problem> {
        self.standing.check(&self.app).await?;
        let _turn = self.app.feed_seats.turn().await;
        let page = self.app.commands.store().read_stream_page(stream, after, limit).await;
        let page = page.map_err(|error| unavailable(&error))?;
        let until = page.last().map_or(after, |it| it.revision);
        let positions: Vec<Position> = page.iter().map(|it| it.position).collect();
        let places = self.app.queries.feed_places(&self.reader, &positions).await?;
        Ok((self.tell(page, &places).await?, until))
    }

    /// Waits until there may be something new, as long as the caller may hear of it; false when the process stops.
    pub async fn wait(&mut self) -> Result<bool, Problem> {
        let mut news = self.app.commands.store().watch_head();
        let known = self.head;
        let newer = async { news.wait_for(|now| *now > known).await.map(|now| *now) };
        tokio::select! {
            now = newer => {
                self.head = now.unwrap_or(known);
                sleep(super::reading::pause(&self.app)).await;
                self.app.visibility.wait_for(self.head, MODELS, CHECKED_EVERY).await;
            }
            () = sleep(CHECKED_EVERY) => {}
            () = self.standing.draining.0.cancelled() => return Ok(false),
        }
        let head = self.head;
        let part = self.app.queries.feed(&self.reader, None, head, 1).await?;
        self.compare(&part.organizations)?;
        self.standing.check(&self.app).await?;
        Ok(!self.standing.draining.0.is_cancelled())
    }

    /// Refuses once there is less to see than before.
    fn compare(&mut self, now: &[OrganizationId]) -> Result<(), Problem> {
        let before = std::mem::replace(&mut self.organizations, now.to_vec());
        if before.iter().all(|id| now.contains(id)) {
            return Ok(());
        }
        Err(Problem::new("role_too_weak").detail("Not all of this is yours to read any more."))
    }

    /// The events there, and whether these are all of them.
    async fn at(&self, positions: &[Position]) -> Result<(Vec<Followed>, bool), Problem> {
        if positions.is_empty() {
            return Ok((Vec::new(), true));
        }
        let found = self.app.commands.store().read_these(positions).await;
        let found = found.map_err(|error| unavailable(&error))?;
        if found.is_empty() {
            // Rows of a log that is not this one, until they are projected again.
            return Err(Problem::new("read_model_behind"));
        }
        let is_whole = found.len() == positions.len();
        let places = self.app.queries.feed_places(&self.reader, positions).await?;
        Ok((self.tell(found, &places).await?, is_whole))
    }

    async fn tell(
        &self,
        found: Vec<Recorded>,
        places: &[FeedPlace],
    ) -> Result<Vec<Followed>, Problem> {
        let telling = Telling::of(&self.app, found.iter()).await?;
        let mut followed = Vec::with_capacity(places.len());
        let mut places = places.iter().peekable();
        for recorded in found {
            let Some(place) = places.next_if(|it| it.position == recorded.position) else {
                continue;
            };
            let place = place_of(recorded.recorded_at, place.earlier);
            let told = telling.tell(&recorded, "")?;
            followed.push(Followed { place, told, recorded });
        }
        Ok(followed)
    }
}

fn place_of(at: Timestamp, earlier: u64) -> u64 {
    let micros = u64::try_from(at.micros().saturating_sub(EPOCH_MICROS)).unwrap_or(0);
    micros.saturating_mul(PLACES_PER_MICRO).saturating_add(earlier)
}

/// Basic credentials carry the token as their password; whatever else is there is judged as it stands.
fn as_bearer(mut headers: HeaderMap) -> HeaderMap {
    let text = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let basic =
        text.and_then(|it| it.split_once(' ')).filter(|it| it.0.eq_ignore_ascii_case("basic"));
    let decoded = basic.and_then(|(_, it)| STANDARD.decode(it.trim()).ok());
    let decoded = decoded.and_then(|it| String::from_utf8(it).ok());
    let password = decoded.as_deref().and_then(|it| it.split_once(':')).map(|it| it.1);
    if let Some(Ok(mut bearer)) = password.map(|it| HeaderValue::try_from(format!("Bearer {it}"))) {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    headers
}

fn unavailable(error: &keynest_store::ReadError) -> Problem {
    Problem::unavailable(error)
}
