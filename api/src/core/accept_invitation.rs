//! `POST auth/invitations/accept/`: the token of the mail joins the invited account, signed in or not (R11, R12).

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::{AcceptInvitation, Accepted};
use keynest_projections::Reader;
use keynest_store::Position;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::MODELS;
use crate::extract::{Json, MaybeCaller, Text};
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = AcceptWish)]
pub struct Request {
    /// The last part of the mailed link.
    #[schema(value_type = String)]
    token: Text,
}

/// Who joined what.
#[derive(Clone, Serialize, ToSchema)]
pub struct Joined {
    message: &'static str,
    pub organization_name: String,
    pub role: &'static str,
    pub inviter_name: String,
    organization: JoinedOrganization,
}

#[derive(Clone, Serialize, ToSchema)]
struct JoinedOrganization {
    id: i64,
    name: String,
    role: &'static str,
    #[schema(format = DateTime)]
    joined_at: String,
}

/// Accepts an invitation. Needs no session: the token is enough, if the invited address has an account.
#[utoipa::path(
    post, path = "/invitations/accept/", tag = "members", operation_id = "accept_invitation",
    request_body = Request, responses(
        (status = 200, body = Joined),
        (status = 400, description = "`invitation_unknown`, `invitation_expired`, `invitation_used`, `invitation_revoked`, `invitation_for_another`, `account_missing`, `already_member`, `organization_full`"),
    ), security((), ("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: MaybeCaller,
    Json(request): Json<Request>,
) -> Result<Done<Joined>, Problem> {
    let (position, joined) = accept(&app, &caller, &request.token.0).await?;
    Ok(app.done(StatusCode::OK, position, MODELS, joined).await.without_position())
}

/// The route, nested under `/api/auth`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handle))
}

/// The same for the page behind the link.
pub async fn run(app: &App, caller: &MaybeCaller, token: &str) -> Result<Joined, Problem> {
    Ok(accept(app, caller, token).await?.1)
}

async fn accept(
    app: &App,
    caller: &MaybeCaller,
    token: &str,
) -> Result<(Option<Position>, Joined), Problem> {
    let wish = AcceptInvitation { token: token.trim().to_owned() };
    let accepted = app.commands.accept_invitation(&caller.origin, wish).await?;
    app.wait_for(accepted.position, MODELS).await;
    let Accepted { organization, user, inviter, role, joined_at } = accepted.outcome;
    let name =
        app.queries.organization(Reader::product(user), organization).await?.map(|row| row.name);
    let name = name.unwrap_or_default();
    let inviter_name = app.queries.user(inviter).await?.map(|row| row.full_name);
    let joined_at = joined_at.iso();
    let role = role.name();
    let joined = Joined {
        message: "Invitation accepted.",
        organization_name: name.clone(),
        role,
        inviter_name: inviter_name.unwrap_or_default(),
        organization: JoinedOrganization { id: organization.get(), name, role, joined_at },
    };
    Ok((accepted.position, joined))
}
