//! Identity providers: which there are, how to ask them, and how to believe what they answer (THREATS 1.6).

mod error;
mod github;
mod github_answer;
mod oidc;
mod oidc_document;
mod oidc_token;
mod person;
mod proof_code;
mod provider;
mod registry;
mod settings;
mod trip;

pub use error::OAuthError;
pub use proof_code::{PROOF_CODE_LIFETIME, ProofCode, challenge_of};
pub use provider::{Answer, Provider};
pub use registry::Providers;
pub use settings::{OAuthSettings, ProviderKind, ProviderSettings};
pub use trip::{TRIP_LIFETIME, Trip};
