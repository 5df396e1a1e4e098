//! What goes wrong between KeyNest and NATS. No text holds an address with a password.

use std::error::Error;

/// Why NATS does not carry the feed now; what can heal is tried again.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// `nats.url` is no list of addresses.
    #[error("read the address of NATS")]
    Address(#[source] std::io::Error),
    /// A file that the configuration names cannot be read.
    #[error("read {file}")]
    File {
        /// Its path.
        file: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The options make no client.
    #[error("prepare the connection to NATS")]
    Options(#[source] Box<dyn Error + Send + Sync>),
    /// The server is older than what KeyNest relies on.
    #[error("nats-server {found} is too old: at least {needed} is needed")]
    TooOld {
        /// Its version.
        found: String,
        /// The oldest one that will do.
        needed: &'static str,
    },
    /// There is no connection at the moment.
    #[error("NATS is not connected")]
    NotConnected,
    /// The server did not do what it was asked.
    #[error("ask NATS to {wish}")]
    Refused {
        /// What was wanted.
        wish: &'static str,
        /// What the server or the client says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("ask NATS to {0}: no answer in time")]
    TimedOut(&'static str),
}

impl NatsError {
    pub(super) fn refused(
        wish: &'static str,
    ) -> impl FnOnce(Box<dyn Error + Send + Sync>) -> NatsError {
        move |source| Self::Refused { wish, source }
    }
}
