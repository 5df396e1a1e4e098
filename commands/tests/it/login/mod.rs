//! Signing in.

mod log_in;
