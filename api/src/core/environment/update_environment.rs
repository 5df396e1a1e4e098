//! `PATCH` and `PUT environments/{id}/`: a member renames, describes or retypes an environment.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::environment::UpdateEnvironment;
use keynest_domain::{EnvironmentId, EnvironmentName, EnvironmentType, ProjectId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_environment::kind;
use super::shape::Environment;
use crate::core::given::{Check, Id, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Json, Path, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = EnvironmentChange)]
pub struct Request {
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100)]
    name: Option<Text>,
    /// If given, the one that it has: an environment is never moved.
    #[schema(value_type = Option<i64>)]
    project: Option<Id>,
    #[schema(value_type = Option<String>)]
    environment_type: Option<Text>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = EnvironmentReplacement)]
pub struct Replacement {
    #[schema(value_type = String, min_length = 2, max_length = 100)]
    name: Text,
    /// If given, the one that it has: an environment is never moved.
    #[schema(value_type = Option<i64>)]
    project: Option<Id>,
    /// `development` if it is not given.
    #[schema(value_type = Option<String>)]
    environment_type: Option<Text>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self, id: i64) -> Result<UpdateEnvironment, Problem> {
        let mut check = Check::default();
        let name = check.optional("name", self.name.as_ref(), EnvironmentName::parse);
        let kind = check.optional("environment_type", self.environment_type.as_ref(), kind);
        let description = check.description(&self.description);
        check.done(Some(UpdateEnvironment {
            environment: EnvironmentId::new(id),
            project: self.project.map(|id| ProjectId::new(id.0)),
            name,
            environment_type: kind,
            description,
        }))
    }
}

/// What a replacement leaves out is as in a new one.
impl From<Replacement> for Request {
    fn from(Replacement { name, project, environment_type, description }: Replacement) -> Self {
        let usual = || Text(EnvironmentType::default().name().to_owned());
        let environment_type = Some(environment_type.unwrap_or_else(usual));
        let description = description.or(Some(None));
        Self { name: Some(name), project, environment_type, description }
    }
}

/// Changes what is given.
#[utoipa::path(
    patch, path = "/environments/{id}/", tag = "environments", operation_id = "update_environment",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 200, body = Shown<Environment>),
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
) -> Result<Done<Environment>, Problem> {
    let wish = request.parse(id)?;
    let id = wish.environment;
    let updated = app.commands.update_environment(&caller.origin, wish).await?;
    let load = || shaped(app.queries.environment(&caller.reader, id));
    app.answer(StatusCode::OK, updated.position, MODELS, id.get(), load).await
}

/// Replaces name, type and description.
#[utoipa::path(
    put, path = "/environments/{id}/", tag = "environments", operation_id = "replace_environment",
    params(("id" = i64, Path)), request_body = Replacement, responses(
        (status = 200, body = Shown<Environment>),
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
) -> Result<Done<Environment>, Problem> {
    patch(app, caller, id, Json(replacement.into())).await
}
