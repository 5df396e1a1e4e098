//! `/api/auth/` as its callers see it.

mod activation;
pub mod calls;
mod change_password;
mod describe;
mod enumeration;
mod login;
mod logout;
mod password_reset;
mod profile;
mod public;
mod refresh;
mod register;
mod repeats;
mod revocation;
mod settings;
mod throttles;
