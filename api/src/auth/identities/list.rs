//! Which providers sign in to the caller's account.

use axum::extract::State;
use keynest_projections::IdentityRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{Caller, Json};
use crate::{App, Problem};

/// The answer.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentitiesAnswer)]
pub struct Answer {
    identities: Vec<Identity>,
}

/// An account at a provider.
#[derive(Serialize, ToSchema)]
pub struct Identity {
    #[schema(value_type = String, format = "uuid")]
    id: keynest_domain::IdentityId,
    provider: String,
    /// The address that the provider knew when it was linked.
    email: Option<String>,
    /// The picture that the provider has; this server never asks for it.
    avatar_url: Option<String>,
    #[schema(format = DateTime)]
    linked_at: String,
}

/// Lists the caller's identities.
#[utoipa::path(get, path = "/identities/", tag = "auth", operation_id = "list_identities",
    security(("bearer" = [])), responses((status = 200, body = Answer)))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Json<Answer>, Problem> {
    Ok(Json(answer(&app, &caller).await?))
}

/// As they are now.
pub async fn answer(app: &App, caller: &Caller) -> Result<Answer, Problem> {
    let rows = app.queries.list_identities(caller.user).await?;
    Ok(Answer { identities: rows.into_iter().map(Identity::from).collect() })
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            email: row.address,
            avatar_url: row.avatar_url,
            linked_at: row.linked_at.iso(),
        }
    }
}
