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
mod settings;
mod trip;

use std::collections::BTreeMap;
use std::sync::Arc;

use keynest_domain::ProviderName;

pub use error::OAuthError;
pub use proof_code::{PROOF_CODE_LIFETIME, ProofCode, challenge_of};
pub use provider::{Answer, Provider};
pub use settings::{OAuthSettings, ProviderKind, ProviderSettings};
pub use trip::{TRIP_LIFETIME, Trip};

use crate::outgoing::Outgoing;

/// The providers of this process. Clones share them.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<ProviderName, Arc<Provider>>>);

impl Providers {
    /// Those that are configured well; each of the others is switched off, and the log says why.
    pub fn new(settings: &OAuthSettings, outgoing: Option<&Outgoing>) -> Self {
        let Some(outgoing) = outgoing else {
            if !settings.providers.is_empty() {
                tracing::warn!("sign-in with other providers is off: there is no outgoing HTTP");
            }
            return Self::default();
        };
        let mut providers = BTreeMap::new();
        for wanted in &settings.providers {
            let name = wanted.name.clone();
            match Provider::new(wanted.clone(), outgoing) {
                Ok(provider) => drop(providers.insert(name, Arc::new(provider))),
                Err(error) => {
                    tracing::warn!(provider = %name, %error, "the provider is switched off");
                }
            }
        }
        Self(Arc::new(providers))
    }

    /// A provider that is switched on.
    pub fn find(&self, name: &str) -> Option<Arc<Provider>> {
        let name = ProviderName::parse(name).ok()?;
        self.0.get(&name).cloned()
    }

    /// All that are switched on, by name.
    pub fn list(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.values()
    }
}
