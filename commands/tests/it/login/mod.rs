//! Signing in.

mod log_in;
mod rehash;
