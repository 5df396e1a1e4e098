//! A token that was presented instead of a session's: which one it is, whether it is good here and now, how far it goes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use ipnet::IpNet;
use keynest_commands::PresentedToken;
use keynest_crypto::bearer_token;
use keynest_domain::Timestamp;
use keynest_projections::{Reader, TokenStanding};

use crate::extract::{Principal, TOKEN_PREFIX, origin};
use crate::middleware::ClientAddress;
use crate::{App, Problem};

/// Checks the bearer's token. One answer for all that is wrong with it: whoever found one learns nothing.
pub async fn present(parts: &Parts, app: &App, text: &str) -> Result<Principal, Problem> {
    let now = app.commands.clock().now();
    let address = parts.extensions.get::<ClientAddress>().map(|known| known.0);
    let standing = stand(app, text, address).await?;
    app.throttle.token(parts, &standing.id.to_string())?;
    app.throttle.user(parts, standing.actor.get())?;
    if let Err(error) = app.token_uses.note(standing.id, now).await {
        tracing::warn!(%error, "a token's use could not be noted");
    }
    let scope = Arc::new(standing.scope);
    let reader = Reader::scoped(standing.actor, &scope);
    let mut origin = origin(parts, app);
    origin.actor = Some(standing.actor);
    origin.token = Some(PresentedToken { id: standing.id, scope });
    if let Some(client) = &mut origin.client {
        client.token = Some(standing.id);
    }
    Ok(Principal { origin, reader })
}

/// What a token is worth now; it is not counted as a use.
pub async fn stand(
    app: &App,
    text: &str,
    address: Option<IpAddr>,
) -> Result<TokenStanding, Problem> {
    let now = app.commands.clock().now();
    let standing = find(app, text, now).await?.ok_or_else(bad)?;
    if !is_good(&standing, address, now) || app.revocations.has_ended(&standing) {
        return Err(bad());
    }
    Ok(standing)
}

/// One of ours by its digest, once its form and checksum are right; or the access token of a service, by its rule.
async fn find(app: &App, text: &str, now: Timestamp) -> Result<Option<TokenStanding>, Problem> {
    if text.starts_with(TOKEN_PREFIX) {
        let digest = bearer_token::digest(app.commands.keyring(), text).ok_or_else(bad)?;
        return Ok(app.queries.token_by_digest(&digest).await?);
    }
    let claims = app.machine_tokens.verify(text, now).map_err(|_| bad())?;
    let standing = app.queries.trust_standing(claims.trust).await?;
    Ok(standing.filter(|it| it.organization == Some(claims.organization)))
}

fn is_good(standing: &TokenStanding, address: Option<IpAddr>, now: Timestamp) -> bool {
    let is_in_time = standing.expires_at.is_none_or(|expires_at| now < expires_at);
    let is_from_there = match (&standing.ranges, address) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(ranges), Some(address)) => ranges
            .iter()
            .filter_map(|range| range.parse::<IpNet>().ok())
            .any(|range| range.contains(&address)),
    };
    !standing.is_ended && standing.is_owner_active && is_in_time && is_from_there
}

fn bad() -> Problem {
    Problem::new("token_not_valid")
}
