//! `PATCH` and `PUT variables/{id}/`: another key, another value, or both.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::environment::{ChangeVariable, VariableValue};
use keynest_domain::{EnvironmentId, VariableId, VariableKey};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Variable, reveal};
use crate::core::MODELS;
use crate::core::given::{Check, Id};
use crate::extract::{Json, Path, Principal, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = VariableChange)]
pub struct Request {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    key: Option<Text>,
    /// Stored as it is. `[HIDDEN]` and `[NO_ACCESS]` leave the value as it was.
    #[schema(value_type = Option<String>)]
    value: Option<Text>,
    /// If given, the one that it has: a variable is never moved.
    #[schema(value_type = Option<i64>)]
    environment: Option<Id>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = VariableReplacement)]
pub struct Replacement {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    key: Text,
    /// Stored as it is. Without it, or with a mask, the value stays as it was.
    #[schema(value_type = Option<String>)]
    value: Option<Text>,
    /// If given, the one that it has: a variable is never moved.
    #[schema(value_type = Option<i64>)]
    environment: Option<Id>,
}

impl Request {
    fn parse(self, id: i64) -> Result<ChangeVariable, Problem> {
        let mut check = Check::default();
        let key = check.optional("key", self.key.as_ref(), VariableKey::parse);
        let value = self.value.filter(|text| !VariableValue::is_mask(&text.0));
        let value = value.and_then(|text| check.kept("value", VariableValue::parse(text.0)));
        let environment = self.environment.map(|id| EnvironmentId::new(id.0));
        check.done(Some(ChangeVariable { variable: VariableId::new(id), environment, key, value }))
    }
}

/// Changes what is given.
#[utoipa::path(
    patch, path = "/variables/{id}/", tag = "variables", operation_id = "update_variable",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 200, body = Shown<Variable>),
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
) -> Result<Done<Variable>, Problem> {
    change(&app, &caller, request.parse(id)?).await
}

/// Replaces the key, and the value if it is given.
#[utoipa::path(
    put, path = "/variables/{id}/", tag = "variables", operation_id = "replace_variable",
    params(("id" = i64, Path)), request_body = Replacement, responses(
        (status = 200, body = Shown<Variable>),
        (status = 400, description = "`parent_is_fixed`"),
        (status = 403, description = "`role_too_weak`"),
    ),
    security(("bearer" = [])),
)]
pub async fn put(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    Json(Replacement { key, value, environment }): Json<Replacement>,
) -> Result<Done<Variable>, Problem> {
    let request = Request { key: Some(key), value, environment };
    change(&app, &caller, request.parse(id)?).await
}

async fn change(
    app: &App,
    caller: &Principal,
    wish: ChangeVariable,
) -> Result<Done<Variable>, Problem> {
    let id = wish.variable;
    let changed = app.commands.change_variable(&caller.origin, &wish).await?;
    let load = || app.queries.variable(&caller.reader, id);
    let show = || async {
        Ok(match &wish.value {
            // The author sent it.
            Some(value) => load().await?.map(|row| Variable::shown(row, value.expose().to_owned())),
            None => match reveal::one(app, caller, load).await {
                Ok(shown) => shown,
                // The change is made; that its value cannot be shown now does not undo it.
                Err(_) => load().await?.map(Variable::hidden),
            },
        })
    };
    // Neither does it that the row cannot be seen yet, even where it is a new one.
    app.answer(StatusCode::OK, changed.position, MODELS, id.get(), show).await
}
