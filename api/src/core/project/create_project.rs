//! `POST projects/`: a member makes a project.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::project::CreateProject;
use keynest_domain::{OrganizationId, ProjectName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Project;
use crate::core::given::{Check, Id, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Json, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = ProjectWish)]
pub struct Request {
    #[schema(value_type = String, min_length = 2, max_length = 255)]
    name: Text,
    #[schema(value_type = i64)]
    organization: Id,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self) -> Result<CreateProject, Problem> {
        let mut check = Check::default();
        let organization = OrganizationId::new(self.organization.0);
        let name = check.field("name", &self.name, ProjectName::parse);
        let description = check.description(&self.description).flatten();
        check.done(name.map(|name| CreateProject { organization, name, description }))
    }
}

/// Makes a project.
#[utoipa::path(
    post, path = "/projects/", tag = "projects", operation_id = "create_project",
    request_body = Request, responses(
        (status = 201, body = Shown<Project>),
        (status = 403, description = "`role_too_weak`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Json(request): Json<Request>,
) -> Result<Done<Project>, Problem> {
    let made = app.commands.create_project(&caller.origin, request.parse()?).await?;
    let id = made.outcome;
    let load = || shaped(app.queries.project(&caller.reader, id));
    app.answer(StatusCode::CREATED, made.position, MODELS, id.get(), load).await
}
