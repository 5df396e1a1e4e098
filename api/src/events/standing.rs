//! Whether whoever began a long request may still hear its answer.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use keynest_crypto::MachineTokens;

use crate::extract::TOKEN_PREFIX;
use crate::middleware::ClientAddress;
use crate::server::Draining;
use crate::{App, Problem, auth};

/// What the request came with. Looking again is not counted as a use.
#[derive(Clone)]
pub struct Standing {
    text: String,
    address: Option<IpAddr>,
    /// The process stops.
    pub draining: Draining,
}

impl FromRequestParts<App> for Standing {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let text = header.and_then(|it| it.split_once(' ')).map_or("", |(_, token)| token.trim());
        Ok(Self {
            text: text.to_owned(),
            address: parts.extensions.get::<ClientAddress>().map(|known| known.0),
            draining: parts.extensions.get::<Draining>().cloned().unwrap_or_default(),
        })
    }
}

impl Standing {
    /// Refuses once the token or the session has ended.
    pub async fn check(&self, app: &App) -> Result<(), Problem> {
        if self.text.starts_with(TOKEN_PREFIX) || MachineTokens::recognises(&self.text) {
            return auth::stand(app, &self.text, self.address).await.map(drop);
        }
        let bad = || Problem::new("token_not_valid");
        let now = app.commands.clock().now();
        let claims = app.tokens.verify(&self.text, now).map_err(|_| bad())?.claims;
        app.revocations.check(&app.queries, &claims).await
    }
}
