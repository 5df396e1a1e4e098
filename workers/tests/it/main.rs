//! The workers over real Postgres and a real SMTP server. `DATABASE_URL` names a server where databases may be made.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

mod carrier;
mod destroyed_keys;
mod effects;
mod janitor;
mod mailer;
mod nats;
mod nats_server;
mod smtp;
mod world;
