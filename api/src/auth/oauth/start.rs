//! Send a browser to a provider.

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::auth::identities::LinkTicket;
use crate::extract::{Anyone, Path, Query};
use crate::oauth::{OAuthError, Trip};
use crate::{App, Problem};

/// Length of a SHA-256 digest in base64url.
const CHALLENGE_CHARS: usize = 43;
const ROUTE: &str = "GET /api/auth/oauth/{provider}/start/";

/// What whoever begins may say.
#[derive(Debug, Deserialize)]
pub struct Wish {
    /// The SHA-256 digest, in base64url, of a secret that redeeming the code will ask for. Recommended.
    challenge: Option<String>,
    /// From `POST /api/auth/identities/link/`: to link, not to sign in.
    ticket: Option<String>,
}

/// Sends the browser to the provider, with a cookie that binds the way back to it.
pub async fn send(
    State(app): State<App>,
    caller: Anyone,
    Path(provider): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    match begin(&app, &provider, wish).await {
        Ok(response) => Ok(response),
        Err(problem) => {
            Err(app.file_refusal(&caller.origin, ROUTE, Some(&provider), problem).await)
        }
    }
}

async fn begin(app: &App, name: &str, wish: Wish) -> Result<Response, Problem> {
    let provider = app.provider(name)?;
    if wish.challenge.as_ref().is_some_and(|text| !is_challenge(text)) {
        let why = "The challenge is a SHA-256 digest in base64url.";
        return Err(Problem::validation([("challenge", why)]));
    }
    let now = app.commands.clock().now();
    let link = match wish.ticket {
        Some(ticket) => {
            let opened = LinkTicket::open(&app.cursors, &ticket, &provider.settings.name, now);
            Some(opened.ok_or_else(|| Problem::new("oauth_state_invalid"))?)
        }
        None => None,
    };
    let id = app.commands.clock().federation_id();
    let trip = Trip::begin(id, provider.settings.name.clone(), wish.challenge, link, now);
    let url = provider.authorize_url(&trip, &app.redirect_uri(&provider), now).await?;
    let location = HeaderValue::from_str(&url)
        .map_err(|_| OAuthError::Malformed("its address does not fit into a header".to_owned()))?;
    let cookie = trip.cookie(&app.cursors, app.is_https());
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location), (SET_COOKIE, cookie)]).into_response())
}

fn is_challenge(text: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.len() == CHALLENGE_CHARS && text.chars().all(is_fine)
}
