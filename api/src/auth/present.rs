//! A token that was presented instead of a session's: which one it is, and how far it goes.

use axum::http::request::Parts;

use crate::extract::Principal;
use crate::{App, Problem};

/// Checks the bearer's token.
pub async fn present(_: &Parts, _: &App, _: &str) -> Result<Principal, Problem> {
    Err(Problem::new("token_not_valid"))
}
