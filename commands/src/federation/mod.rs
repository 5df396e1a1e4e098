//! Signing in through an identity provider, and the identities of an account. What the provider said was verified by
//! the caller of this module; here it becomes an account, a session or a link.

mod hear_answer;
mod link_identity;
mod profile;
mod proof;
mod sign_in_federated;
mod unlink_identity;
mod username;
mod ways_in;

pub use proof::{ADDRESS_CHARS_MAX, Proof, SUBJECT_CHARS_MAX};
pub use sign_in_federated::FederatedSignIn;
pub use ways_in::ConfiguredIssuers;
