//! The caller's own identities at other providers: list, link, unlink.

mod link;
pub mod list;
mod ticket;
mod unlink;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) use ticket::LinkTicket;

/// The routes of this folder; all of them for signed-in callers.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, link::finish))
        .routes(routes!(link::begin))
        .routes(routes!(unlink::handle))
}
