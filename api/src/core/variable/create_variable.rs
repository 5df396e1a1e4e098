//! `POST variables/`: a member adds a variable. The author sees the value that was sent; nothing is revealed.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::environment::{CreateVariable, VariableValue};
use keynest_domain::{EnvironmentId, VariableKey};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Variable;
use crate::core::MODELS;
use crate::core::given::{Check, Id};
use crate::extract::{Json, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = VariableWish)]
pub struct Request {
    /// Letters, digits and underscores, not first a digit; unique in the environment.
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    key: Text,
    /// Stored as it is, at most 64 KiB; empty if it is not given.
    #[schema(value_type = Option<String>)]
    value: Option<Text>,
    #[schema(value_type = i64)]
    environment: Id,
}

impl Request {
    fn parse(self) -> Result<CreateVariable, Problem> {
        let mut check = Check::default();
        let environment = EnvironmentId::new(self.environment.0);
        let key = check.field("key", &self.key, VariableKey::parse);
        let value = VariableValue::parse(self.value.unwrap_or_default().0);
        let value = check.kept("value", value);
        let wish = |(key, value)| CreateVariable { environment, key, value };
        check.done(key.zip(value).map(wish))
    }
}

/// Adds a variable.
#[utoipa::path(
    post, path = "/variables/", tag = "variables", operation_id = "create_variable",
    request_body = Request, responses(
        (status = 201, body = Shown<Variable>),
        (status = 403, description = "`role_too_weak`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Json(request): Json<Request>,
) -> Result<Done<Variable>, Problem> {
    let wish = request.parse()?;
    let made = app.commands.create_variable(&caller.origin, &wish).await?;
    let id = made.outcome;
    let shown = |row| Variable::shown(row, wish.value.expose().to_owned());
    let load = || async { Ok(app.queries.variable(&caller.reader, id).await?.map(shown)) };
    app.answer(StatusCode::CREATED, made.position, MODELS, id.get(), load).await
}
