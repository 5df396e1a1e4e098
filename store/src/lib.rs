//! The event store port (DESIGN 4): append atomically, read, resolve claims, subscribe.
#![warn(missing_docs)]

mod port;

pub use port::*;
