//! Mails as people get them, from the use cases that cause them.

mod account;
mod dropped;
pub mod notices;
mod repeats;
mod shown;
mod team;
