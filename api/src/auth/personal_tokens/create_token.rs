//! `POST tokens/`: a token that acts as the caller, within a scope. Its text is in this answer and nowhere else.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::CreateToken;
use keynest_crypto::{BearerTokenKind, bearer_token};
use keynest_projections::names;

use crate::core::given::Check;
use crate::extract::{Caller, Json};
use crate::token::{Created, Wish};
use crate::{App, Done, Problem};

/// Makes a personal token. Asks for a sign-in of the last minutes.
#[utoipa::path(post, path = "/tokens/", tag = "tokens", operation_id = "create_token",
    security(("bearer" = [])), request_body = Wish, responses(
        (status = 201, body = Created),
        (status = 400, description = "`too_many_tokens`"),
        (status = 403, description = "`step_up_required`"),
        (status = 404, description = "`not_found`: a place that the caller does not see")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Wish>,
) -> Result<Done<Created>, Problem> {
    let text = bearer_token::generate(BearerTokenKind::Personal);
    let digest = bearer_token::digest_of_new(app.commands.keyring(), &text);
    let mut check = Check::default();
    if request.role.is_some() {
        check.fail("role", "A personal token has its owner's roles.");
    }
    let wish = request.parse(&mut check, &app.settings.tokens, digest.clone());
    let wish = check.done(wish.map(CreateToken))?;
    let made = app.commands.create_token(&caller.origin, wish).await?;
    let body = Created::new(&made.outcome, &text, &digest);
    Ok(app.done(StatusCode::CREATED, made.position, &[names::TOKENS], body).await)
}
