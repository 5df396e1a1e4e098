//! Sessions: refreshed, ended.

mod end;
mod end_own;
mod reauthenticate;
mod refresh;
mod signed_in;

pub use reauthenticate::Reauthenticate;
pub use signed_in::SignedIn;
