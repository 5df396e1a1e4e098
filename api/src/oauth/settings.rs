//! What the configuration says about identity providers.

use keynest_domain::ProviderName;
use keynest_domain::provider::SCOPES_USUAL;
use secrecy::SecretString;

use crate::outgoing::{Origin, OriginInvalid, OutgoingSettings};

/// Google's issuer.
const GOOGLE: &str = "https://accounts.google.com";
/// Google answers from several hosts.
const GOOGLE_HOSTS: [&str; 4] = [
    "https://oauth2.googleapis.com",
    "https://openidconnect.googleapis.com",
    "https://www.googleapis.com",
    GOOGLE,
];
/// Where Google says to whom it issued an access token.
const GOOGLE_TOKENINFO: &str = "https://oauth2.googleapis.com/tokeninfo";

/// All of them, and how they are reached.
#[derive(Clone, Debug, Default)]
pub struct OAuthSettings {
    /// Providers with a client id and a secret.
    pub providers: Vec<ProviderSettings>,
    /// How requests are sent.
    pub outgoing: OutgoingSettings,
}

/// One provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its place in addresses, and in claims: a name is never given to another issuer.
    pub name: ProviderName,
    /// What a button says.
    pub title: String,
    /// What the provider calls this application.
    pub client_id: String,
    /// What proves that it is this application.
    pub client_secret: SecretString,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// How it speaks.
    pub kind: ProviderKind,
}

/// How a provider speaks.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// `OpenID` Connect, with everything else in the issuer's own document.
    Oidc {
        /// Exactly as the provider writes it.
        issuer: String,
        /// Further hosts that the issuer's document may name.
        origins: Vec<Origin>,
        /// Where the provider says to whom it issued an access token; without it such tokens are not taken.
        tokeninfo: Option<String>,
    },
    /// `GitHub`, which is OAuth 2.0 with addresses of its own.
    GitHub {
        /// Where people sign in.
        web: String,
        /// Where programs ask.
        api: String,
    },
}

impl ProviderKind {
    /// `OpenID` Connect at an issuer whose document may name these hosts besides its own.
    pub fn oidc(issuer: &str, origins: &[String]) -> Result<Self, OriginInvalid> {
        let origins = origins.iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
        Ok(Self::Oidc { issuer: issuer.to_owned(), origins, tokeninfo: None })
    }
}

impl ProviderSettings {
    /// Google, for an application that is registered there.
    pub fn google(client_id: String, client_secret: SecretString) -> Self {
        let origins = GOOGLE_HOSTS.iter().filter_map(|host| host.parse().ok()).collect();
        Self {
            name: ProviderName::parse("google").expect("a constant of the right form"),
            title: "Google".to_owned(),
            client_id,
            client_secret,
            scopes: SCOPES_USUAL.map(str::to_owned).to_vec(),
            kind: ProviderKind::Oidc {
                issuer: GOOGLE.to_owned(),
                origins,
                tokeninfo: Some(GOOGLE_TOKENINFO.to_owned()),
            },
        }
    }

    /// `GitHub` or a `GitHub` Enterprise server, for an application that is registered there.
    pub fn github(
        client_id: String,
        client_secret: SecretString,
        web: String,
        api: String,
    ) -> Self {
        Self {
            name: ProviderName::parse("github").expect("a constant of the right form"),
            title: "GitHub".to_owned(),
            client_id,
            client_secret,
            scopes: vec!["user:email".to_owned()],
            kind: ProviderKind::GitHub { web, api },
        }
    }
}
