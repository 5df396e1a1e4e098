//! Mails through a real SMTP server: encryption, sign-in, refusals.

mod crashes;
mod encryption;
mod refusals;
pub mod server;
