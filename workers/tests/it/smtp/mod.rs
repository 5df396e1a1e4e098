//! Mails through a real SMTP server: encryption, sign-in, refusals.

mod encryption;
mod refusals;
mod server;
