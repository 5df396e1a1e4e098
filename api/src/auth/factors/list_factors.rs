//! `GET factors/`: what the caller can prove the account with.

use axum::Json;
use axum::extract::State;
use keynest_projections::FactorList;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::Caller;
use crate::{App, Problem};

/// The caller's factors.
#[derive(Serialize, ToSchema)]
#[schema(as = FactorList)]
pub struct Answer {
    /// Oldest first.
    results: Vec<Factor>,
    recovery_codes_left: u32,
}

#[derive(Serialize, ToSchema)]
struct Factor {
    #[schema(value_type = String)]
    id: Uuid,
    /// `totp` or `passkey`.
    kind: String,
    name: String,
    #[schema(format = DateTime)]
    enrolled_at: String,
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// Lists the caller's second factors.
#[utoipa::path(get, path = "/factors/", tag = "factors", operation_id = "list_factors",
    responses((status = 200, body = Answer)), security(("bearer" = [])))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Json<Answer>, Problem> {
    Ok(Json(app.queries.list_factors(caller.user).await?.into()))
}

impl From<FactorList> for Answer {
    fn from(list: FactorList) -> Self {
        let results = list.factors.into_iter().map(|row| Factor {
            id: row.id.get(),
            kind: row.kind,
            name: row.name,
            enrolled_at: row.enrolled_at.iso(),
            last_used_at: row.last_used_at.map(keynest_domain::Timestamp::iso),
        });
        Self { results: results.collect(), recovery_codes_left: list.recovery_codes_left }
    }
}
