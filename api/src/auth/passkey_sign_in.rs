//! Sign in with a passkey alone: no address, no password.

use axum::Json as Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::login::{Answer, refusal};
use crate::extract::{Anyone, Json};
use crate::{App, Problem};

/// A ceremony that began.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyCeremony)]
pub struct Ceremony {
    /// To be sent back with the answer, within 5 minutes, once.
    challenge: String,
    #[schema(format = DateTime)]
    expires_at: String,
    /// For `navigator.credentials`: `{publicKey: …}`.
    #[schema(value_type = Object)]
    options: Value,
}

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeySignIn)]
pub struct Request {
    challenge: String,
    /// What `navigator.credentials.get` gave, as JSON.
    #[schema(value_type = Object)]
    passkey: Value,
}

/// What the browser needs to ask for a passkey of this site.
#[utoipa::path(post, path = "/login/passkey/options/", tag = "auth", operation_id = "begin_passkey_sign_in",
    responses((status = 200, body = Ceremony), (status = 400, description = "`passkeys_off`"),
        (status = 429, description = "`throttled`")))]
pub async fn begin(State(app): State<App>, _: Anyone) -> Result<Body<Ceremony>, Problem> {
    Ok(Body(app.commands.begin_passkey_sign_in()?.into()))
}

/// Signs in with a passkey.
#[utoipa::path(post, path = "/login/passkey/", tag = "auth", operation_id = "sign_in_with_passkey", request_body = Request,
    responses((status = 200, body = Answer),
        (status = 400, description = "`passkey_refused`, `challenge_not_valid`, `validation`"),
        (status = 429, description = "`throttled`")))]
pub async fn finish(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Body<Answer>, Problem> {
    let Request { challenge, passkey } = request;
    let executed = app.commands.sign_in_with_passkey(&caller.origin, &challenge, passkey).await;
    app.login_answer(executed.map_err(|error| refusal(&app, error))?).await
}

impl From<keynest_commands::login::Ceremony> for Ceremony {
    fn from(begun: keynest_commands::login::Ceremony) -> Self {
        use secrecy::ExposeSecret;
        Self {
            challenge: begun.token.expose_secret().to_owned(),
            expires_at: begun.expires_at.iso(),
            options: begun.options,
        }
    }
}
