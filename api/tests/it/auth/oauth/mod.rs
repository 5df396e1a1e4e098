//! Sign-in with identity providers, against real ones: a certified one, one that misbehaves on request, one like GitHub.

mod accounts;
mod browser;
mod callback;
mod describe;
mod flow;
mod github;
mod identities;
mod misbehaviour;
mod pre_hijacking;
mod providers;
mod races;
mod tokens;
