//! What inner parts tell the edge about a request, for its log line, metrics and headers.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::MatchedPath;

use crate::throttle::Standing;

/// The route of a request that matched none.
pub const UNMATCHED: &str = "unmatched";

/// An extension of every request that came through the edge.
#[derive(Clone, Debug, Default)]
pub struct RequestNotes(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    route: OnceLock<MatchedPath>,
    standings: Mutex<Vec<Standing>>,
}

impl RequestNotes {
    /// The route has been found.
    pub fn set_route(&self, route: MatchedPath) {
        let _ = self.0.route.set(route);
    }

    /// The pattern of the route, never the path, which may hold what should not be logged.
    pub fn route(&self) -> &str {
        self.0.route.get().map_or(UNMATCHED, MatchedPath::as_str)
    }

    /// A throttle has counted the request.
    pub fn add_standing(&self, standing: Standing) {
        self.0.standings.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
    }

    /// What the throttles counted.
    pub fn standings(&self) -> Vec<Standing> {
        self.0.standings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
