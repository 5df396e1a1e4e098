//! HTTP in, commands and queries out.

mod admin;
mod app;
mod auth;
mod core;
mod events;
pub mod extract;
mod health;
mod idempotency;
pub mod middleware;
mod min_position;
pub mod oauth;
mod openapi;
pub mod outgoing;
mod pages;
mod problem;
mod reply;
mod routes;
pub mod server;
pub mod throttle;
mod token;
pub mod variable_file;

/// The version of the HTTP contract (CONTRACT 1.4, 5.2), not of this program.
pub const API_VERSION: &str = "1.0.0";

pub use app::{
    App, ExchangeSettings, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Settings, TokenSettings,
    VISIBLE_WAIT_DEFAULT,
};
pub use auth::Revocations;
pub use events::{FeedCall, FeedLimits, Followed, FollowedPart, Follower};
pub use openapi::DOCUMENT_PATH;
pub use pages::{DevMail, DevMailbox, MailboxError};
pub use problem::Problem;
pub use problem::catalogue;
pub use reply::Done;
pub use routes::{EdgeSettings, documented, edge, operations, quiet_operations};
