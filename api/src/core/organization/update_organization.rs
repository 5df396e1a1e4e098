//! `PATCH` and `PUT organizations/{id}/`: an admin renames or describes a team.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::UpdateOrganization;
use keynest_domain::{OrganizationId, OrganizationName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Organization;
use crate::core::given::{Check, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Caller, Json, Path, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = OrganizationChange)]
pub struct Request {
    #[schema(value_type = Option<String>, min_length = 2, max_length = 255)]
    name: Option<Text>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = OrganizationReplacement)]
pub struct Replacement {
    #[schema(value_type = String, min_length = 2, max_length = 255)]
    name: Text,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self, id: i64) -> Result<UpdateOrganization, Problem> {
        let mut check = Check::default();
        let organization = OrganizationId::new(id);
        let name = check.optional("name", self.name.as_ref(), OrganizationName::parse);
        let description = check.description(&self.description);
        check.done(Some(UpdateOrganization { organization, name, description }))
    }
}

/// What a replacement leaves out is as in a new one.
impl From<Replacement> for Request {
    fn from(Replacement { name, description }: Replacement) -> Self {
        let description = description.or(Some(None));
        Self { name: Some(name), description }
    }
}

/// Changes what is given.
#[utoipa::path(
    patch, path = "/organizations/{id}/", tag = "organizations", operation_id = "update_organization",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 200, body = Shown<Organization>),
        (status = 403, description = "`role_too_weak`"),
    ),
    security(("bearer" = [])),
)]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Organization>, Problem> {
    let wish = request.parse(id)?;
    let id = wish.organization;
    let updated = app.commands.update_organization(&caller.origin, wish).await?;
    let load = || shaped(app.queries.organization(caller.reader(), id));
    app.answer(StatusCode::OK, updated.position, MODELS, id.get(), load).await
}

/// Replaces name and description.
#[utoipa::path(
    put, path = "/organizations/{id}/", tag = "organizations", operation_id = "replace_organization",
    params(("id" = i64, Path)), request_body = Replacement, responses(
        (status = 200, body = Shown<Organization>),
        (status = 403, description = "`role_too_weak`"),
    ),
    security(("bearer" = [])),
)]
pub async fn put(
    app: State<App>,
    caller: Caller,
    id: Path<i64>,
    Json(replacement): Json<Replacement>,
) -> Result<Done<Organization>, Problem> {
    patch(app, caller, id, Json(replacement.into())).await
}
