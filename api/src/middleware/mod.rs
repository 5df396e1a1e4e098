//! What every request passes on its way in and every answer on its way out.

mod client_address;
mod cors;
mod edge;
mod fixed_headers;
mod metrics;
mod notes;
mod request_identity;
mod routes;

pub use client_address::{ClientAddress, ForwardedBy, Proxies};
pub use cors::{CorsOrigins, OriginError};
pub use edge::{Clock, Edge, EdgeConfig, REQUEST_TIMEOUT_DEFAULT};
pub use fixed_headers::FIXED_HEADERS;
pub use metrics::{Metrics, MetricsError};
pub use notes::RequestNotes;
pub use request_identity::{REQUEST_ID, RequestIdentity};
