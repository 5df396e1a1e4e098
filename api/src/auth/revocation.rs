//! Which sessions have ended.

use keynest_crypto::AccessClaims;
use keynest_projections::Queries;
use tokio_util::sync::CancellationToken;

use crate::{App, Problem};

/// Knows which sessions have ended.
#[derive(Clone, Debug, Default)]
pub struct Revocations;

impl Revocations {
    /// Loads what has ended and follows the feed.
    pub async fn start(&self, _app: &App, _stop: CancellationToken) -> Result<(), Problem> {
        Ok(())
    }

    /// Whether it knows what has happened until now.
    pub fn is_fresh(&self) -> bool {
        true
    }

    /// Refuses the token of a session that has ended.
    pub async fn check(&self, queries: &Queries, claims: &AccessClaims) -> Result<(), Problem> {
        match queries.session(claims.session).await? {
            Some(session) if session.ended_at.is_none() => Ok(()),
            _ => Err(Problem::new("token_not_valid")),
        }
    }
}
