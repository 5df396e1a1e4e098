//! `GET organizations/{id}/trusts/`: the organization's rules, and the issuers that rules may be about.

use axum::extract::State;
use keynest_domain::{OrganizationId, Permission};
use keynest_projections::TrustTerms;
use serde::Serialize;
use utoipa::ToSchema;

use super::create_trust::Claim;
use crate::core::require;
use crate::extract::{Caller, Json, Path};
use crate::token::Token;
use crate::{App, Problem};

#[derive(Serialize, ToSchema)]
#[schema(as = TrustList)]
pub struct Response {
    /// The newest first; not paged.
    trusts: Vec<Trust>,
    total_count: usize,
    /// Those that the server is configured to trust.
    issuers: Vec<String>,
    /// What an issuer's token must say in `aud`.
    audience: String,
}

/// A rule.
#[derive(Serialize, ToSchema)]
struct Trust {
    #[serde(flatten)]
    service: Token,
    issuer: String,
    conditions: Vec<Claim>,
    lifetime_minutes: u32,
}

/// The organization's rules.
#[utoipa::path(
    get, path = "/organizations/{id}/trusts/", tag = "tokens", operation_id = "list_trusts",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    let id = OrganizationId::new(id);
    let role = app.queries.organization(caller.reader(), id).await?.map(|row| row.role);
    require(id, role, Permission::ManageServices)?;
    let mut rows = app.queries.trusts(id).await?;
    let terms: Vec<_> = rows.iter_mut().filter_map(|row| row.trust.take()).collect();
    let services = app.with_last_uses(rows).await?;
    let trusts: Vec<_> = services.into_iter().zip(terms).map(Trust::from).collect();
    Ok(Json(Response {
        total_count: trusts.len(),
        trusts,
        issuers: app.settings.exchange.issuers.clone(),
        audience: app.settings.public_url.clone(),
    }))
}

impl From<(Token, TrustTerms)> for Trust {
    fn from((service, terms): (Token, TrustTerms)) -> Self {
        let claims = terms.conditions.into_iter();
        Self {
            service,
            issuer: terms.issuer,
            conditions: claims.map(|it| Claim { claim: it.claim, pattern: it.pattern }).collect(),
            lifetime_minutes: terms.lifetime_minutes,
        }
    }
}
