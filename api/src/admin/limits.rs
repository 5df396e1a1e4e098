//! `GET` and `PATCH limits/`, `organizations/{id}/limits/`: how often callers may do what costs others something.

use std::collections::BTreeMap;

use axum::extract::State;
use keynest_commands::limits::ChangeLimits;
use keynest_domain::OrganizationId;
use keynest_domain::limits::{Policy, Quota};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Administrator;
use crate::extract::{Json, Path};
use crate::{App, Problem};

/// So many in any window of so many seconds.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[schema(as = LimitQuota)]
pub struct Wanted {
    /// 0 switches the policy off.
    #[schema(minimum = 0, maximum = 1_000_000)]
    quota: u32,
    #[schema(minimum = 1, maximum = 86_400)]
    window_seconds: u32,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = LimitsChange)]
pub struct Request {
    /// By policy; null goes back to what is configured.
    #[schema(value_type = BTreeMap<String, Wanted>)]
    limits: BTreeMap<String, Option<Wanted>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Limits)]
pub struct Response {
    limits: Vec<Limit>,
}

#[derive(Serialize, ToSchema)]
pub struct Limit {
    policy: &'static str,
    quota: u32,
    window_seconds: u32,
    /// Whether an administrator changed it, for the instance or for this organization.
    is_changed: bool,
    configured_quota: u32,
}

/// The limits of the instance.
#[utoipa::path(
    get, path = "/limits/", tag = "admin", operation_id = "list_limits", responses(
        (status = 200, body = Response),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn list(State(app): State<App>, _: Administrator) -> Result<Json<Response>, Problem> {
    app.throttle.refresh(&app.commands).await?;
    Ok(Json(Response::of(&app, None)))
}

/// Changes limits of the instance. Every process goes by them at once.
#[utoipa::path(
    patch, path = "/limits/", tag = "admin", operation_id = "change_limits", request_body = Request,
    responses(
        (status = 200, body = Response),
        (status = 400, description = "`validation`"),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn change(
    State(app): State<App>,
    caller: Administrator,
    Json(request): Json<Request>,
) -> Result<Json<Response>, Problem> {
    apply(&app, &caller, request, None).await
}

/// The limits of one organization.
#[utoipa::path(
    get, path = "/organizations/{id}/limits/", tag = "admin", operation_id = "list_organization_limits",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn list_own(
    State(app): State<App>,
    _: Administrator,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    app.throttle.refresh(&app.commands).await?;
    Ok(Json(Response::of(&app, Some(OrganizationId::new(id)))))
}

/// Gives one organization limits of its own.
#[utoipa::path(
    patch, path = "/organizations/{id}/limits/", tag = "admin",
    operation_id = "change_organization_limits", params(("id" = i64, Path)), request_body = Request,
    responses(
        (status = 200, body = Response),
        (status = 400, description = "`validation`"),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn change_own(
    State(app): State<App>,
    caller: Administrator,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Json<Response>, Problem> {
    apply(&app, &caller, request, Some(OrganizationId::new(id))).await
}

async fn apply(
    app: &App,
    caller: &Administrator,
    request: Request,
    organization: Option<OrganizationId>,
) -> Result<Json<Response>, Problem> {
    let wish = ChangeLimits { organization, changes: request.parse()? };
    app.commands.change_limits(&caller.0.origin, wish).await?;
    app.throttle.refresh(&app.commands).await?;
    Ok(Json(Response::of(app, organization)))
}

impl Request {
    fn parse(self) -> Result<Vec<(Policy, Option<Quota>)>, Problem> {
        let known = |(name, wanted): (String, Option<Wanted>)| {
            let policy = Policy::parse(&name).ok_or_else(|| {
                Problem::validation([("limits", "There is no policy of this name.")])
            })?;
            Ok((policy, wanted.map(|it| Quota::new(it.quota, it.window_seconds))))
        };
        self.limits.into_iter().map(known).collect()
    }
}

impl Response {
    fn of(app: &App, organization: Option<OrganizationId>) -> Self {
        let (configured, changed) = (app.throttle.configured(), app.throttle.changed());
        let listed = Policy::ALL
            .into_iter()
            .filter(|policy| organization.is_none() || policy.is_per_organization());
        let limit = |policy: Policy| {
            let Quota { quota, window_seconds } = changed.quota(policy, organization, configured);
            let is_changed = changed.changed(policy, organization).is_some();
            let configured_quota = configured.of(policy).quota;
            Limit { policy: policy.name(), quota, window_seconds, is_changed, configured_quota }
        };
        Self { limits: listed.map(limit).collect() }
    }
}
