//! `POST organizations/{id}/tokens/`: a token of the organization, which acts as a service of its own.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::CreateServiceToken;
use keynest_crypto::{BearerTokenKind, bearer_token};
use keynest_domain::organization::ServiceRole;
use keynest_domain::{Invalid, OrganizationId};
use keynest_projections::names;

use crate::core::MODELS;
use crate::core::given::Check;
use crate::extract::{Caller, Json, Path};
use crate::token::{Created, Wish};
use crate::{App, Done, Problem};

/// A service's role by its name.
pub fn role(text: &str) -> Result<ServiceRole, Invalid> {
    let unknown = || Invalid::new("unknown_role", "Expected one of editor, viewer.");
    ServiceRole::parse(text).ok_or_else(unknown)
}

/// Makes a token of the organization. Asks for a sign-in of the last minutes.
#[utoipa::path(
    post, path = "/organizations/{id}/tokens/", tag = "tokens", operation_id = "create_service_token",
    params(("id" = i64, Path)), request_body = Wish, responses(
        (status = 201, body = Created),
        (status = 400, description = "`too_many_tokens`"),
        (status = 403, description = "`role_too_weak`, `step_up_required`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Wish>,
) -> Result<Done<Created>, Problem> {
    let text = bearer_token::generate(BearerTokenKind::Service);
    let digest = bearer_token::digest_of_new(app.commands.keyring(), &text);
    let wish = parse(&request, &app, id, digest.clone())?;
    let made = app.commands.create_service_token(&caller.origin, wish).await?;
    let body = Created::new(&made.outcome, &text, &digest);
    let models = [MODELS, &[names::TOKENS]].concat();
    Ok(app.done(StatusCode::CREATED, made.position, &models, body).await)
}

fn parse(
    request: &Wish,
    app: &App,
    id: i64,
    digest: String,
) -> Result<CreateServiceToken, Problem> {
    let mut check = Check::default();
    let role = check.optional("role", request.role.as_ref(), role).unwrap_or(ServiceRole::Viewer);
    let token = request.parse(&mut check, &app.settings.tokens, digest);
    let organization = OrganizationId::new(id);
    check.done(token.map(|token| CreateServiceToken { organization, role, token }))
}
