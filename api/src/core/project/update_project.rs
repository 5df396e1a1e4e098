//! `PATCH` and `PUT projects/{id}/`: a member renames or describes a project.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::project::UpdateProject;
use keynest_domain::{OrganizationId, ProjectId, ProjectName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Project;
use crate::core::given::{Check, Id, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Json, Path, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = ProjectChange)]
pub struct Request {
    #[schema(value_type = Option<String>, min_length = 2, max_length = 255)]
    name: Option<Text>,
    /// If given, the one that it has: a project is never moved.
    #[schema(value_type = Option<i64>)]
    organization: Option<Id>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ProjectReplacement)]
pub struct Replacement {
    #[schema(value_type = String, min_length = 2, max_length = 255)]
    name: Text,
    /// If given, the one that it has: a project is never moved.
    #[schema(value_type = Option<i64>)]
    organization: Option<Id>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self, id: i64) -> Result<UpdateProject, Problem> {
        let mut check = Check::default();
        let organization = self.organization.map(|id| OrganizationId::new(id.0));
        let name = check.optional("name", self.name.as_ref(), ProjectName::parse);
        let description = check.description(&self.description);
        let project = ProjectId::new(id);
        check.done(Some(UpdateProject { project, organization, name, description }))
    }
}

/// What a replacement leaves out is as in a new one.
impl From<Replacement> for Request {
    fn from(Replacement { name, organization, description }: Replacement) -> Self {
        let description = description.or(Some(None));
        Self { name: Some(name), organization, description }
    }
}

/// Changes what is given.
#[utoipa::path(
    patch, path = "/projects/{id}/", tag = "projects", operation_id = "update_project",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 200, body = Shown<Project>),
        (status = 400, description = "`parent_is_fixed`"),
        (status = 403, description = "`role_too_weak`"),
    ),
    security(("bearer" = [])),
)]
pub async fn patch(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Project>, Problem> {
    let wish = request.parse(id)?;
    let id = wish.project;
    let updated = app.commands.update_project(&caller.origin, wish).await?;
    let load = || shaped(app.queries.project(&caller.reader, id));
    app.answer(StatusCode::OK, updated.position, MODELS, id.get(), load).await
}

/// Replaces name and description.
#[utoipa::path(
    put, path = "/projects/{id}/", tag = "projects", operation_id = "replace_project",
    params(("id" = i64, Path)), request_body = Replacement, responses(
        (status = 200, body = Shown<Project>),
        (status = 400, description = "`parent_is_fixed`"),
        (status = 403, description = "`role_too_weak`"),
    ),
    security(("bearer" = [])),
)]
pub async fn put(
    app: State<App>,
    caller: Principal,
    id: Path<i64>,
    Json(replacement): Json<Replacement>,
) -> Result<Done<Project>, Problem> {
    patch(app, caller, id, Json(replacement.into())).await
}
