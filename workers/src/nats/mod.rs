//! NATS JetStream as the carrier of the feed: a relay writes the log to a stream, consumers are told of it by the stream.
//! The stream is derived and never believed: it says how far the log may be read, the log says what happened.

mod connect;
mod error;
mod following;
mod message;
mod pull;
mod relay;
mod settings;
mod stream;

pub use connect::JetStream;
pub use error::NatsError;
pub use relay::{RELAY, Relay};
pub use settings::NatsSettings;

pub(crate) use following::Following;
