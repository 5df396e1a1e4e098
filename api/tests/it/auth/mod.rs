//! `/api/auth/` as its callers see it.

mod account;
mod activation;
pub mod calls;
mod change_email;
mod change_password;
mod describe;
mod enumeration;
pub mod factors;
mod forged;
mod login;
mod logout;
mod many_sessions;
mod oauth;
mod password_reset;
mod passwords;
mod profile;
mod public;
mod refresh;
mod register;
mod repeats;
mod replicas;
mod revocation;
mod same_work;
mod sessions;
mod settings;
mod throttles;
