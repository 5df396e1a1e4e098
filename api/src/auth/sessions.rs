//! One's own sessions: list them, end one, end all others.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_domain::{SessionId, Timestamp, device};
use keynest_projections::{OwnSession, names};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::shape::Message;
use crate::extract::{Caller, Json, Path};
use crate::{App, Done, Problem};

/// The answer.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnSessions)]
pub struct Answer {
    sessions: Vec<Session>,
    total_count: usize,
}

/// A sign-in that lives.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnSession)]
pub struct Session {
    #[schema(value_type = String)]
    id: SessionId,
    /// In words, derived from the agent that signed in.
    #[schema(example = "Firefox on Linux")]
    device: String,
    /// The address that signed in.
    ip_address: Option<String>,
    /// How: `password`, `federated`, `passkey`.
    method: String,
    started_at: String,
    /// As exactly as a minute.
    last_used_at: String,
    /// Whether this call came with it.
    is_current: bool,
}

/// Lists the caller's sessions, the last used first.
#[utoipa::path(get, path = "/sessions/", tag = "auth", operation_id = "list_own_sessions",
    security(("bearer" = [])), responses((status = 200, body = Answer)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Answer>, Problem> {
    let now = app.commands.clock().now();
    let rows =
        app.queries.own_sessions(caller.user, &app.commands.settings().sessions, now).await?;
    let ids: Vec<SessionId> = rows.iter().map(|row| row.id).collect();
    let unread = |error| Problem::unavailable(&error);
    app.session_uses.flush(now).await.map_err(unread)?;
    let used = app.session_uses.of(&ids).await.map_err(unread)?;
    let show = |row: OwnSession| shown(&row, used.get(&row.id).copied(), caller.session);
    let mut sessions: Vec<Session> = rows.into_iter().map(show).collect();
    sessions.sort_by(|a, b| b.last_used_at.cmp(&a.last_used_at));
    Ok(Json(Answer { total_count: sessions.len(), sessions }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/sessions/{id}/", tag = "auth", operation_id = "end_own_session",
    security(("bearer" = [])), params(("id" = String, Path)),
    responses((status = 204), (status = 404, description = "`not_found`: not yours, or it has ended")))]
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Done<()>, Problem> {
    let done = app.commands.end_own_session(&caller.origin, SessionId::new(id)).await?;
    app.revocations.wait_for(done.position).await;
    Ok(app.no_content(done.position, &[names::SESSIONS]).await)
}

/// Ends every session of the caller but this one.
#[utoipa::path(delete, path = "/sessions/", tag = "auth", operation_id = "end_other_sessions",
    security(("bearer" = [])), responses((status = 200, body = Message)))]
pub async fn end_others(State(app): State<App>, caller: Caller) -> Result<Done<Message>, Problem> {
    let done = app.commands.end_other_sessions(&caller.origin).await?;
    app.revocations.wait_for(done.position).await;
    let message = Message::new("Every other session was signed out.");
    Ok(app.done(StatusCode::OK, done.position, &[names::SESSIONS], message).await)
}

fn shown(row: &OwnSession, used: Option<Timestamp>, current: SessionId) -> Session {
    Session {
        id: row.id,
        device: device::describe(row.agent.as_deref()),
        ip_address: row.address.clone(),
        method: row.method.clone(),
        started_at: row.started_at.iso(),
        last_used_at: used.map_or(row.last_used_at, |used| used.max(row.last_used_at)).iso(),
        is_current: row.id == current,
    }
}
