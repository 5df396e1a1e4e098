//! Sign-in with identity providers, against real ones: a certified one, one that misbehaves on request, one like GitHub.

mod accounts;
pub mod browser;
mod callback;
mod describe;
mod flow;
mod github;
pub mod identities;
mod managed;
mod managed_refusals;
mod misbehaviour;
mod pre_hijacking;
pub mod providers;
mod races;
mod tokens;
mod ways_in;
