//! `POST environments/`: a member makes an environment.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::environment::CreateEnvironment;
use keynest_domain::{EnvironmentName, EnvironmentType, Invalid, ProjectId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Environment;
use crate::core::given::{Check, Id, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Json, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = EnvironmentWish)]
pub struct Request {
    /// Lower-cased; unique in the project.
    #[schema(value_type = String, min_length = 2, max_length = 100)]
    name: Text,
    #[schema(value_type = i64)]
    project: Id,
    /// `development`, which is the default, `staging`, `production` or `testing`.
    #[schema(value_type = Option<String>)]
    environment_type: Option<Text>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self) -> Result<CreateEnvironment, Problem> {
        let mut check = Check::default();
        let project = ProjectId::new(self.project.0);
        let kind = check.optional("environment_type", self.environment_type.as_ref(), kind);
        let environment_type = kind.unwrap_or_default();
        let name = check.field("name", &self.name, EnvironmentName::parse);
        let description = check.description(&self.description).flatten();
        let wish = |name| CreateEnvironment { project, name, environment_type, description };
        check.done(name.map(wish))
    }
}

/// A type by its name.
pub(super) fn kind(text: &str) -> Result<EnvironmentType, Invalid> {
    let message = "Expected one of development, staging, production, testing.";
    EnvironmentType::parse(text).ok_or_else(|| Invalid::new("unknown_type", message))
}

/// Makes an environment.
#[utoipa::path(
    post, path = "/environments/", tag = "environments", operation_id = "create_environment",
    request_body = Request, responses(
        (status = 201, body = Shown<Environment>),
        (status = 403, description = "`role_too_weak`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Json(request): Json<Request>,
) -> Result<Done<Environment>, Problem> {
    let made = app.commands.create_environment(&caller.origin, request.parse()?).await?;
    let id = made.outcome;
    let load = || shaped(app.queries.environment(&caller.reader, id));
    app.answer(StatusCode::CREATED, made.position, MODELS, id.get(), load).await
}
