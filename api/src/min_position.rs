//! `KeyNest-Min-Position` on any query: the answer shows at least what that position's event did (DESIGN 6).

use axum::extract::{Request, State};
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keynest_projections::names;
use keynest_store::Position;

use crate::reply::POSITION_KIND;
use crate::{App, Problem};

/// The request field.
pub const MIN_POSITION: HeaderName = HeaderName::from_static("keynest-min-position");

/// Middleware: makes a query wait for a position.
pub async fn wait(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_query = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(token) = request.headers().get(&MIN_POSITION).filter(|_| is_query) else {
        return next.run(request).await;
    };
    match reached(&app, token.to_str().unwrap_or_default()).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What a position token says, if it was made here for this life of the log.
pub async fn position(app: &App, token: &str) -> Result<Position, Problem> {
    let unknown = || Problem::new("position_unknown");
    let bytes = app.cursors.open(POSITION_KIND, token).ok_or_else(unknown)?;
    let (incarnation, position) = bytes.split_at_checked(16).ok_or_else(unknown)?;
    let position = u64::from_be_bytes(position.try_into().map_err(|_| unknown())?);
    let position = Position::from_stored(position);
    let store = app.commands.store();
    if incarnation != store.incarnation().get().as_bytes() {
        return Err(
            unknown().detail("The position is of this log's life before a backup was restored.")
        );
    }
    let head = store.head().await.map_err(|error| Problem::unavailable(&error))?;
    if position > head {
        return Err(unknown());
    }
    Ok(position)
}

async fn reached(app: &App, token: &str) -> Result<(), Problem> {
    let position = position(app, token).await?;
    if app.visibility.wait_for(position, names::ALL, app.settings.visible_wait).await {
        Ok(())
    } else {
        Err(Problem::new("read_model_behind"))
    }
}
