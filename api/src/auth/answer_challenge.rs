//! Answer the question for the second factor: the second half of a sign-in.

use axum::extract::State;
use keynest_commands::login::Answer as Proof;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::faults::Faults;
use super::login::{Answer, refusal};
use crate::extract::{Anyone, Json};
use crate::{App, Problem};

/// What proves the second factor: exactly one of the three.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorProof)]
pub struct Given {
    /// Six digits of an authenticator app.
    #[schema(example = "123456")]
    code: Option<String>,
    /// One of the codes for a lost factor.
    recovery_code: Option<String>,
    /// What `navigator.credentials.get` gave, as JSON.
    #[schema(value_type = Option<Object>)]
    passkey: Option<Value>,
}

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChallengeAnswer)]
pub struct Request {
    /// From the answer to the first half.
    challenge: String,
    #[serde(flatten)]
    given: Given,
}

/// Finishes a sign-in with the second factor.
#[utoipa::path(post, path = "/login/challenge/", tag = "auth", operation_id = "answer_challenge", request_body = Request,
    responses((status = 200, body = Answer), (status = 400,
            description = "`code_wrong`, `passkey_refused`, `challenge_not_valid`: begin again, `validation`"),
        (status = 429, description = "`locked_out` after 5 wrong codes, `throttled`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<axum::Json<Answer>, Problem> {
    let mut faults = Faults::default();
    let Some(proof) = request.given.parse(&mut faults) else {
        faults.require(false, "code", "Give a code, a recovery code or a passkey.");
        return Err(faults.problem());
    };
    let executed = app.commands.answer_challenge(&caller.origin, &request.challenge, proof).await;
    app.login_answer(executed.map_err(|error| refusal(&app, error))?).await
}

impl Given {
    /// The proof; `None` where there is none, and a fault where there are several.
    pub(super) fn parse(self, faults: &mut Faults) -> Option<Proof> {
        let Self { code, recovery_code, passkey } = self;
        match (code, recovery_code, passkey) {
            (Some(code), None, None) => Some(Proof::Code(SecretString::from(code.trim()))),
            (None, Some(code), None) => Some(Proof::RecoveryCode(SecretString::from(code))),
            (None, None, Some(passkey)) => Some(Proof::Passkey(passkey)),
            (None, None, None) => None,
            _ => {
                faults.require(false, "code", "Give only one proof.");
                None
            }
        }
    }
}
