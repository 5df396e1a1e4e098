//! `GET /api/events/`: what happened in the caller's organizations, oldest first, as CloudEvents: one per line, or as a stream.

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use keynest_domain::{OrganizationId, Permission};

use super::reading::Reading;
use super::standing::Standing;
use super::stream;
use super::wish::Asked;
use crate::extract::{Principal, Query};
use crate::reply::POSITION_HEADER;
use crate::{App, Problem};

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Events of the organizations whose audit log the caller may read. `KeyNest-Position` is where to go on: give it as `after`.
/// With `Accept: text/event-stream` the answer does not end: server-sent events, whose ids are positions.
#[utoipa::path(
    get, path = "/api/events/", tag = "events", operation_id = "list_events",
    params(Asked, ("Last-Event-ID" = Option<String>, Header, description = "The position of the last event of a stream that broke off.")),
    responses((status = 200, description = "CloudEvents 1.0 in JSON, one per line, `KeyNest-Position` goes on; or a stream of them.",
               content((String = "application/x-ndjson"), (String = "text/event-stream"))),
              (status = 400, description = "`position_unknown`, `validation`"),
              (status = 403, description = "`address_not_allowed`, `role_too_weak`, `second_factor_required_by_organization`, `token_scope_too_narrow`"),
              (status = 404, description = "`not_found`"),
              (status = 429, description = "`too_many_readers`"),
              (status = 503, description = "`busy`, `newer_than_this_binary`, `read_model_behind`")),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    standing: Standing,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get(LAST_EVENT_ID).map(|it| it.to_str().unwrap_or_default());
    let wish = asked.check(&app, last.filter(|it| !it.is_empty())).await?;
    if let Some(organization) = wish.organization {
        admit(&app, &caller, organization).await?;
    }
    let seat = app.feed_seats.take(caller.reader.user())?;
    let is_stream = is_stream(&headers);
    let reading = Reading::new(app, caller.reader, standing, wish, seat, is_stream);
    if is_stream { stream::open(reading).await } else { lines(reading).await }
}

/// An organization that is asked for by name is there and the caller's to audit, or the answer says why not.
async fn admit(app: &App, caller: &Principal, organization: OrganizationId) -> Result<(), Problem> {
    let row = app.queries.organization(&caller.reader, organization).await?;
    let row = row.ok_or_else(|| Problem::new("not_found"))?;
    if row.is_closed {
        return Err(Problem::new("second_factor_required_by_organization"));
    }
    caller.require(organization, Some(row.role), Permission::ViewAuditLog)
}

async fn lines(mut reading: Reading) -> Result<Response, Problem> {
    let batch = reading.next(reading.wish.wait).await?;
    let lines: String = batch.events.iter().map(|event| format!("{}\n", event.json)).collect();
    let mut response = ([(CONTENT_TYPE, NDJSON)], lines).into_response();
    if let Ok(position) = HeaderValue::from_str(&reading.position()) {
        response.headers_mut().insert(POSITION_HEADER, position);
    }
    Ok(response)
}

fn is_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
    let mut kinds = accepted.flat_map(|it| it.split(','));
    kinds.any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(stream::EVENT_STREAM)
    })
}
