//! The caller's own account.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::UpdateProfile;
use keynest_domain::PersonName;
use keynest_projections::names;
use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::Faults;
use super::shape::ProfileAnswer;
use crate::extract::{Caller, Json, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

/// The body; what is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ProfileRequest)]
pub struct Request {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    first_name: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    last_name: Option<Text>,
    /// Whether mails that are not about security are wanted.
    #[serde(default)]
    notices: Option<bool>,
}

/// Shows the account and its organizations.
#[utoipa::path(get, path = "/profile/", tag = "auth", operation_id = "read_profile", security(("bearer" = [])),
    responses((status = 200, body = ProfileAnswer), (status = 404, description = "`not_found`")))]
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Json<ProfileAnswer>, Problem> {
    let profile = app.queries.profile(caller.user).await?;
    let profile = profile.ok_or_else(|| Problem::new("not_found"))?;
    Ok(Json(ProfileAnswer::from(&profile)))
}

/// Changes names and notices.
#[utoipa::path(patch, path = "/profile/", tag = "auth", operation_id = "update_profile",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Shown<ProfileAnswer>), (status = 400, description = "`validation`")))]
pub async fn update(
    app: State<App>,
    caller: Caller,
    request: Json<Request>,
) -> Result<Done<ProfileAnswer>, Problem> {
    run(app, caller, request).await
}

/// Changes names and notices.
#[utoipa::path(put, path = "/profile/", tag = "auth", operation_id = "replace_profile",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Shown<ProfileAnswer>), (status = 400, description = "`validation`")))]
pub async fn replace(
    app: State<App>,
    caller: Caller,
    request: Json<Request>,
) -> Result<Done<ProfileAnswer>, Problem> {
    run(app, caller, request).await
}

async fn run(
    State(app): State<App>,
    mut caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<ProfileAnswer>, Problem> {
    let notices = request.notices;
    let wish = request.parse()?;
    let mut position = app.commands.update_profile(&caller.origin, wish).await?.position;
    if let Some(wanted) = notices {
        // The idempotent command id belongs to the names; switching twice does nothing anyway.
        caller.origin.command = None;
        position = app.commands.switch_notices(&caller.origin, wanted).await?.position.or(position);
    }
    let load = || async {
        let profile = app.queries.profile(caller.user).await?;
        Ok(profile.as_ref().map(ProfileAnswer::from))
    };
    app.answer(StatusCode::OK, position, &[names::USERS], caller.user.get(), load).await
}

impl Request {
    fn parse(self) -> Result<UpdateProfile, Problem> {
        let mut faults = Faults::default();
        let mut name = |field, text: Option<Text>| {
            text.and_then(|text| faults.take(field, PersonName::parse(&text.0)))
        };
        let first_name = name("first_name", self.first_name);
        let last_name = name("last_name", self.last_name);
        if faults.is_empty() {
            Ok(UpdateProfile { first_name, last_name })
        } else {
            Err(faults.problem())
        }
    }
}
