//! The write side as the API calls it, on the log in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

mod account_settings;
mod login;
mod repeats;
mod session;
mod settings;
mod user;
mod world;
