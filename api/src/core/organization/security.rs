//! `GET, PATCH organizations/{id}/security/`: what the organization asks of its members' sign-ins.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::ChangeSecurityPolicy;
use keynest_domain::OrganizationId;
use keynest_domain::organization::SecurityPolicy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::MODELS;
use crate::extract::{Caller, Json, Path};
use crate::{App, Done, Problem};

/// What the organization asks for.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityPolicy)]
pub struct Answer {
    /// Nobody gets at its objects who has not signed in with a second factor.
    require_second_factor: bool,
    /// Exporting values and deleting the organization ask for an authentication at most 5 minutes old.
    step_up: bool,
}

/// The body; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecurityPolicyWish)]
pub struct Request {
    require_second_factor: Option<bool>,
    step_up: Option<bool>,
}

/// Shows what the organization asks for.
#[utoipa::path(get, path = "/organizations/{id}/security/", tag = "organizations", operation_id = "read_security_policy",
    params(("id" = i64, Path)), responses((status = 200, body = Answer),
        (status = 403, description = "`role_too_weak`, `second_factor_required_by_organization`")),
    security(("bearer" = [])))]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<axum::Json<Answer>, Problem> {
    let policy = app.commands.security_policy(&caller.origin, OrganizationId::new(id)).await?;
    Ok(axum::Json(policy.into()))
}

/// Changes what the organization asks for.
#[utoipa::path(patch, path = "/organizations/{id}/security/", tag = "organizations",
    operation_id = "change_security_policy", params(("id" = i64, Path)), request_body = Request,
    responses((status = 200, body = Answer), (status = 400, description = "`own_lock_out`, `validation`"),
        (status = 403, description = "`role_too_weak`, `step_up_required`, `second_factor_required_by_organization`")),
    security(("bearer" = [])))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Answer>, Problem> {
    let organization = OrganizationId::new(id);
    let Request { require_second_factor, step_up } = request;
    let wish = ChangeSecurityPolicy { organization, require_second_factor, step_up };
    let done = app.commands.change_security_policy(&caller.origin, wish).await?;
    let policy = app.commands.security_policy(&caller.origin, organization).await?;
    Ok(app.done(StatusCode::OK, done.position, MODELS, policy.into()).await)
}

impl From<SecurityPolicy> for Answer {
    fn from(policy: SecurityPolicy) -> Self {
        let SecurityPolicy { require_second_factor, step_up } = policy;
        Self { require_second_factor, step_up }
    }
}
