//! A caller who administers the instance: every route of this folder asks for one.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::extract::Caller;
use crate::{App, Problem};

/// A signed-in administrator, asked of the log and not of a read model, so that nobody stays one for a moment longer.
pub struct Administrator(pub Caller);

impl FromRequestParts<App> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        app.commands.require_administrator(&caller.origin).await?;
        Ok(Self(caller))
    }
}
