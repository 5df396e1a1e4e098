//! Everything that is kept about the caller, as one file.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::{IntoResponse, Response};
use keynest_commands::user::{PendingEmail, Remembered};
use keynest_domain::{Role, Timestamp, UserId};
use keynest_projections::{PersonalInvitation, PersonalMembership, PersonalSession, names};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::factors::list_factors::Answer as Factors;
use crate::auth::identities::list::Identity;
use crate::auth::shape::ProfileAnswer;
use crate::core::AuditLog;
use crate::extract::{Caller, Json};
use crate::token::Token;
use crate::{App, Problem};

/// Of the file's format.
const FORMAT_VERSION: u32 = 1;
/// As a browser saves it.
const FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"keynest-account.json\"");

/// What is kept about a person. Values of variables are the organizations', and are not here.
#[derive(Serialize, ToSchema)]
pub struct AccountExport {
    /// Rises when a part changes its meaning or goes; parts that are added do not raise it.
    format_version: u32,
    exported_at: String,
    profile: ProfileAnswer,
    /// Another address that waits to be confirmed.
    pending_email: Option<ExportedPendingEmail>,
    /// Accounts elsewhere that sign in to this one.
    identities: Vec<Identity>,
    /// Second factors, by name; what they prove with is not here.
    factors: Factors,
    /// Personal tokens, also those that ended; not their texts.
    tokens: Vec<ExportedToken>,
    sessions: Vec<ExportedSession>,
    memberships: Vec<ExportedMembership>,
    /// Sent by the person, or to the person's address.
    invitations: Vec<ExportedInvitation>,
    /// What the person did, and what happened to the account; the newest 10,000 entries.
    audit_log: Vec<AuditLog>,
    /// Every fact of the account in the log with what it says of the person, without secrets; the newest 10,000.
    history: Vec<ExportedFact>,
}

/// Another address that waits to be confirmed.
#[derive(Serialize, ToSchema)]
pub struct ExportedPendingEmail {
    email: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A personal token.
#[derive(Serialize, ToSchema)]
pub struct ExportedToken {
    #[serde(flatten)]
    token: Token,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// A fact of the account.
#[derive(Serialize, ToSchema)]
pub struct ExportedFact {
    /// Its stored name, as in `docs/EVENTS.md`.
    event: String,
    #[schema(format = DateTime)]
    recorded_at: String,
    /// Texts that say something of the person, and numbers, times and kinds; times are in microseconds since 1970.
    #[schema(value_type = Object)]
    facts: serde_json::Map<String, serde_json::Value>,
}

/// A sign-in.
#[derive(Serialize, ToSchema)]
pub struct ExportedSession {
    id: String,
    method: String,
    started_at: String,
    last_used_at: String,
    ended_at: Option<String>,
    end_reason: Option<String>,
    /// Of sessions that live.
    ip_address: Option<String>,
    user_agent: Option<String>,
}

/// A place in a team.
#[derive(Serialize, ToSchema)]
pub struct ExportedMembership {
    organization: i64,
    organization_name: String,
    #[schema(value_type = String)]
    role: Role,
    joined_at: String,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub struct ExportedInvitation {
    id: String,
    organization: i64,
    email: String,
    /// `sent` or `received`.
    direction: &'static str,
    #[schema(value_type = String)]
    role: Role,
    status: String,
    created_at: String,
    answered_at: Option<String>,
}

/// Gives the caller a copy of everything that is kept about them, as one JSON file. The copy is recorded before it is given.
#[utoipa::path(get, path = "/account/export/", tag = "auth", operation_id = "export_account",
    security(("bearer" = [])),
    responses((status = 200, body = AccountExport), (status = 403, description = "`step_up_required`"),
        (status = 503, description = "`read_model_behind`")))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let done = app.commands.export_own_data(&caller.origin).await?;
    if !app.wait_for(done.position, names::ALL).await {
        return Err(Problem::new("read_model_behind"));
    }
    let (queries, user) = (&app.queries, caller.user);
    let profile = queries.profile(user).await?.ok_or_else(|| Problem::new("not_found"))?;
    let pending = app.commands.own_pending_email(user).await?;
    let identities = queries.list_identities(user).await?;
    let tokens = app.exported_tokens(user).await?;
    let sessions = queries.personal_sessions(user).await?;
    let memberships = queries.personal_memberships(user).await?;
    let invitations = queries.personal_invitations(caller.reader()).await?;
    let audit_log = queries.personal_audit(caller.reader()).await?;
    let history = app.commands.own_history(user).await?;
    let export = AccountExport {
        format_version: FORMAT_VERSION,
        exported_at: app.commands.clock().now().iso(),
        profile: ProfileAnswer::from(&profile),
        pending_email: pending.map(ExportedPendingEmail::from),
        identities: identities.into_iter().map(Identity::from).collect(),
        factors: Factors::from(queries.list_factors(user).await?),
        tokens,
        sessions: sessions.into_iter().map(ExportedSession::from).collect(),
        memberships: memberships.into_iter().map(ExportedMembership::from).collect(),
        invitations: invitations.into_iter().map(ExportedInvitation::from).collect(),
        audit_log: audit_log.into_iter().map(AuditLog::from).collect(),
        history: history.into_iter().map(ExportedFact::from).collect(),
    };
    Ok(([(CONTENT_DISPOSITION, FILE)], Json(export)).into_response())
}

impl App {
    async fn exported_tokens(&self, user: UserId) -> Result<Vec<ExportedToken>, Problem> {
        let rows = self.queries.all_personal_tokens(user).await?;
        let (rows, ended): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|token| (token.row, token.ended_at)).unzip();
        let tokens = self.with_last_uses(rows).await?.into_iter().zip(ended);
        let token = |(token, ended_at): (Token, Option<Timestamp>)| ExportedToken {
            token,
            ended_at: ended_at.map(Timestamp::iso),
        };
        Ok(tokens.map(token).collect())
    }
}

impl From<PendingEmail> for ExportedPendingEmail {
    fn from(pending: PendingEmail) -> Self {
        Self { email: pending.email, expires_at: pending.expires_at.iso() }
    }
}

impl From<Remembered> for ExportedFact {
    fn from(it: Remembered) -> Self {
        Self { event: it.event, recorded_at: it.recorded_at.iso(), facts: it.facts }
    }
}

impl From<PersonalSession> for ExportedSession {
    fn from(row: PersonalSession) -> Self {
        Self {
            id: row.id.to_string(),
            method: row.method,
            started_at: row.started_at.iso(),
            last_used_at: row.last_used_at.iso(),
            ended_at: row.ended_at.map(Timestamp::iso),
            end_reason: row.end_reason,
            ip_address: row.address,
            user_agent: row.agent,
        }
    }
}

impl From<PersonalMembership> for ExportedMembership {
    fn from(row: PersonalMembership) -> Self {
        Self {
            organization: row.organization.get(),
            organization_name: row.organization_name,
            role: row.role,
            joined_at: row.joined_at.iso(),
        }
    }
}

impl From<PersonalInvitation> for ExportedInvitation {
    fn from(row: PersonalInvitation) -> Self {
        Self {
            id: row.id.to_string(),
            organization: row.organization.get(),
            email: row.address,
            direction: if row.is_mine { "sent" } else { "received" },
            role: row.role,
            status: row.status,
            created_at: row.created_at.iso(),
            answered_at: row.answered_at.map(Timestamp::iso),
        }
    }
}
