//! A browser comes back from a provider. It leaves with a code that is good once, never with tokens.

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::extract::{Anyone, Path, Query};
use crate::oauth::{self, PROOF_CODE_LIFETIME, ProofCode, Trip};
use crate::pages::signed_in_elsewhere;
use crate::{App, Problem};

/// The one place in the frontend that browsers are sent to.
const FRONTEND_PATH: &str = "/auth/callback";
/// Longest code of a provider that is looked at, in bytes.
const CODE_BYTES_MAX: usize = 4 * 1024;
const ROUTE: &str = "GET /api/auth/oauth/{provider}/callback/";

/// What the provider said through the browser.
#[derive(Debug, Default, Deserialize)]
pub struct Told {
    /// The provider's code.
    code: Option<String>,
    /// What the browser took along.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who says so (RFC 9207).
    iss: Option<String>,
}

/// Takes the provider's answer, and sends the browser on to the frontend with a code for
/// `POST /api/auth/oauth/exchange/`, or with an `error`; without a frontend, shows a page.
pub async fn arrive(
    State(app): State<App>,
    caller: Anyone,
    Path(name): Path<String>,
    headers: HeaderMap,
    told: Result<Query<Told>, Problem>,
) -> Response {
    let proved = match told {
        Ok(Query(told)) => prove(&app, &caller, &name, &headers, told).await,
        Err(_) => Err(Problem::new("oauth_state_invalid")),
    };
    let mut response = match proved {
        Ok(code) => arrived(&app, &code),
        Err(problem) => {
            let problem = app.file_refusal(&caller.origin, ROUTE, Some(&name), problem).await;
            refused(&app, &problem)
        }
    };
    response.headers_mut().insert(SET_COOKIE, Trip::end(app.is_https()));
    response
}

/// Everything about the way back, in the order of what it costs; the provider is asked last.
async fn prove(
    app: &App,
    caller: &Anyone,
    name: &str,
    headers: &HeaderMap,
    told: Told,
) -> Result<String, Problem> {
    let provider = app.provider(name)?;
    let now = app.commands.clock().now();
    let invalid = || Problem::new("oauth_state_invalid");
    let state = told.state.ok_or_else(invalid)?;
    let (own, is_https) = (&provider.settings.name, app.is_https());
    let trip = Trip::of_browser(headers, &app.cursors, is_https, own, &state, now);
    let trip = trip.ok_or_else(invalid)?;
    app.commands.hear_provider_answer(&caller.origin, trip.id, own.clone()).await?;
    if told.error.is_some() {
        return Err(Problem::new("oauth_denied"));
    }
    let code = told.code.filter(|code| code.len() <= CODE_BYTES_MAX);
    let code = code.ok_or_else(|| Problem::new("oauth_denied"))?;
    let answer = oauth::Answer { code, issuer: told.iss };
    let redirect_uri = app.redirect_uri(&provider);
    let proof = provider.prove_answer(&trip, answer, &redirect_uri, now).await?;
    let code = ProofCode {
        trip: trip.id,
        proof,
        challenge: trip.challenge,
        link: trip.link,
        expires_at: app.commands.clock().now() + PROOF_CODE_LIFETIME,
    };
    Ok(code.seal(&app.cursors))
}

fn arrived(app: &App, code: &str) -> Response {
    match &app.settings.frontend_url {
        Some(frontend) => redirect(&format!("{frontend}{FRONTEND_PATH}?code={code}")),
        None => signed_in_elsewhere::show(code),
    }
}

/// The code of a problem is one of ours; nothing that came with the request goes on.
fn refused(app: &App, problem: &Problem) -> Response {
    match &app.settings.frontend_url {
        Some(frontend) => redirect(&format!("{frontend}{FRONTEND_PATH}?error={}", problem.code())),
        None => signed_in_elsewhere::refuse(problem),
    }
}

fn redirect(to: &str) -> Response {
    let to = HeaderValue::from_str(to).expect("an origin, a path and base64url fit into a header");
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}
