//! The generated messages and services.
pub use keynest_eventstore_protocol::*;
