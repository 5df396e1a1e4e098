//! The event feed for other teams' programs (docs/EVENT_FEED.md).

mod follow;
mod limits;
mod list_events;
mod look;
mod reading;
mod seats;
mod standing;
mod stream;
mod telling;
mod wish;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use follow::{FeedCall, Followed, FollowedPart, Follower};
pub use limits::FeedLimits;
pub use seats::Seats;

/// `/api/events/`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_events::handle))
}
