//! `GET audit-logs/`: newest first, only what the caller may know of (D3, D17).

use axum::extract::{OriginalUri, State};
use keynest_domain::{OrganizationId, Timestamp, UserId, moment};
use keynest_projections::{AuditFilter, AuditRow, names};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::core::given::Check;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Principal, Query};
use crate::{App, Problem};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    organization: Option<i64>,
    /// The actor's id.
    user: Option<i64>,
    /// One or several, with commas.
    action: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
    /// A day or a moment.
    date_from: Option<String>,
    /// A day, which is included, or a moment, which is not.
    date_to: Option<String>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct AuditLog {
    id: i64,
    organization: Option<i64>,
    user: Option<i64>,
    user_name: String,
    user_email: String,
    action: String,
    target_type: String,
    target_id: String,
    #[schema(value_type = Object)]
    details: serde_json::Value,
    /// `ok`, `failed` or `refused`.
    outcome: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    #[schema(format = DateTime)]
    timestamp: String,
    /// The same, under the name that the frontend has for it.
    #[schema(format = DateTime)]
    created_at: String,
}

impl Filter {
    fn parse(self) -> Result<AuditFilter, Problem> {
        let mut check = Check::default();
        let mut time = |name, text: Option<String>, read: fn(&str) -> Option<Timestamp>| {
            let read = text.map(|text| read(&text));
            if read == Some(None) {
                check.fail(name, "Expected a day or a moment: 2026-01-31 or 2026-01-31T12:00:00Z.");
            }
            read.flatten()
        };
        let from = time("date_from", self.date_from, moment::from);
        let to = time("date_to", self.date_to, moment::until);
        let actions = self.action.iter().flat_map(|text| text.split(',')).map(str::trim);
        check.done(Some(AuditFilter {
            organization: self.organization.map(OrganizationId::new),
            actor: self.user.map(UserId::new),
            actions: actions.filter(|action| !action.is_empty()).map(str::to_owned).collect(),
            target_type: self.target_type,
            target_id: self.target_id,
            from,
            to,
        }))
    }
}

impl From<AuditRow> for AuditLog {
    fn from(row: AuditRow) -> Self {
        let timestamp = row.timestamp.iso();
        Self {
            id: row.id,
            organization: row.organization.map(OrganizationId::get),
            user: row.actor.map(UserId::get),
            user_name: row.user_name,
            user_email: row.user_email,
            action: row.action,
            target_type: row.target_type,
            target_id: row.target_id,
            details: row.details,
            outcome: row.outcome,
            ip_address: row.ip_address,
            user_agent: row.agent,
            request_id: row.request.map(|id| id.to_string()),
            created_at: timestamp.clone(),
            timestamp,
        }
    }
}

/// What happened in the caller's organizations and to the caller.
#[utoipa::path(
    get, path = "/audit-logs/", tag = "audit log", operation_id = "list_audit_log", params(Paging, Filter),
    responses((status = 200, body = Paged<AuditLog>)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    uri: OriginalUri,
) -> Result<Json<Paged<AuditLog>>, Problem> {
    let page = paging.page(&app.settings)?;
    // Reading a value leaves a row but carries no position: whoever looks next finds it all the same.
    let head = app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))?;
    app.wait_for(Some(head), &[names::AUDIT_LOG]).await;
    let listed = app.queries.list_audit(&caller.reader, &filter.parse()?, page).await?;
    Paged::new(&app.settings, &uri, page, listed, AuditLog::from).map(Json)
}
