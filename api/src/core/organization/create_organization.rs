//! `POST organizations/`: the caller makes a team.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::CreateOrganization;
use keynest_domain::OrganizationName;
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Organization;
use crate::core::given::{Check, nullable};
use crate::core::{MODELS, shaped};
use crate::extract::{Caller, Json, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = OrganizationWish)]
pub struct Request {
    /// Unique among the caller's organizations, ignoring case.
    #[schema(value_type = String, min_length = 2, max_length = 255)]
    name: Text,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<Text>>,
}

impl Request {
    fn parse(&self) -> Result<CreateOrganization, Problem> {
        let mut check = Check::default();
        let name = check.field("name", &self.name, OrganizationName::parse);
        let description = check.description(&self.description).flatten();
        check.done(name.map(|name| CreateOrganization { name, description }))
    }
}

/// Makes an organization; the caller is its admin.
#[utoipa::path(
    post, path = "/organizations/", tag = "organizations", operation_id = "create_organization",
    request_body = Request, responses((status = 201, body = Shown<Organization>)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<Organization>, Problem> {
    let made = app.commands.create_organization(&caller.origin, request.parse()?).await?;
    let id = made.outcome;
    let load = || shaped(app.queries.organization(caller.reader(), id));
    app.answer(StatusCode::CREATED, made.position, MODELS, id.get(), load).await
}
