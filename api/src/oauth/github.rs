//! `GitHub`: OAuth 2.0 without ID tokens. The numeric id is the person; addresses come from their own endpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keynest_commands::federation::Proof;
use keynest_domain::ProviderName;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::error::OAuthError;
use super::github_answer::Translated;
use super::oidc::{exchange_failed, read};
use super::person::Person;
use super::provider::Answer;
use super::settings::{ProviderKind, ProviderSettings};
use super::trip::Trip;
use crate::outgoing::{Origin, Outgoing, OutgoingClient};

/// What `GitHub` asks programs to accept.
const ACCEPT: &str = "application/vnd.github+json";
/// Addresses of one person that are looked at.
const ADDRESSES_MAX: usize = 100;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// `GitHub`, or an Enterprise server.
pub struct GitHub {
    name: ProviderName,
    web: String,
    api: String,
    client_id: String,
    client_secret: SecretString,
    scopes: Vec<String>,
    client: OutgoingClient,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

#[derive(Deserialize)]
struct Check {
    app: CheckedApp,
    user: Option<CheckedUser>,
}

#[derive(Deserialize)]
struct CheckedApp {
    client_id: String,
}

#[derive(Deserialize)]
struct CheckedUser {
    id: u64,
}

impl GitHub {
    /// Checks the addresses; asks nobody yet.
    pub fn new(settings: &ProviderSettings, outgoing: &Outgoing) -> Result<Self, OAuthError> {
        let ProviderKind::GitHub { web, api } = &settings.kind else {
            return Err(OAuthError::Configuration("not a GitHub".to_owned()));
        };
        let origin = |text: &String| {
            let url = Url::parse(text).ok().filter(|url| url.query().is_none());
            let origin = url.as_ref().and_then(Origin::of);
            let is_fine =
                |it: &Origin| it.as_str().starts_with("https:") || outgoing.is_internal(it);
            origin.filter(is_fine).ok_or_else(|| {
                OAuthError::Configuration(format!("{text} is not an address that may be asked"))
            })
        };
        Ok(Self {
            name: settings.name.clone(),
            client: outgoing.client([origin(web)?, origin(api)?]),
            web: web.trim_end_matches('/').to_owned(),
            api: api.trim_end_matches('/').to_owned(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            scopes: settings.scopes.clone(),
        })
    }

    /// Where the browser goes to sign in.
    pub fn authorize_url(&self, trip: &Trip, redirect_uri: &str) -> Result<String, OAuthError> {
        let client = self.library(redirect_uri)?;
        let verifier = PkceCodeVerifier::new(trip.verifier.clone());
        let state = trip.state.clone();
        let (url, _) = client
            .authorize_url(move || CsrfToken::new(state))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Exchanges the code and asks who it is.
    pub async fn prove_answer(
        &self,
        trip: &Trip,
        answer: Answer,
        redirect_uri: &str,
    ) -> Result<Proof, OAuthError> {
        if answer.issuer.is_some_and(|issuer| {
            issuer.trim_end_matches('/') != self.web
                && issuer != format!("{}/login/oauth", self.web)
        }) {
            return Err(OAuthError::NotValid("the answer is another issuer's".to_owned()));
        }
        let tokens = self
            .library(redirect_uri)?
            .exchange_code(AuthorizationCode::new(answer.code))
            .set_pkce_verifier(PkceCodeVerifier::new(trip.verifier.clone()))
            .request_async(&Translated(self.client.clone()))
            .await
            .map_err(exchange_failed)?;
        self.person(tokens.access_token().secret(), None).await
    }

    /// Asks `GitHub` whether it issued the token to this application before it counts.
    pub async fn prove_access_token(&self, token: &str) -> Result<Proof, OAuthError> {
        let url = format!("{}/applications/{}/token", self.api, self.client_id);
        let pair = format!("{}:{}", self.client_id, self.client_secret.expose_secret());
        let body = serde_json::json!({ "access_token": token }).to_string();
        let request = http::Request::post(url)
            .header("authorization", format!("Basic {}", STANDARD.encode(pair)))
            .header("accept", ACCEPT)
            .header("content-type", "application/json")
            .body(body.into_bytes())
            .map_err(|_| OAuthError::Configuration("the client id is not usable".to_owned()))?;
        let answer = self.client.send(request).await?;
        if answer.status().is_client_error() {
            return Err(OAuthError::NotValid("not issued to this application".to_owned()));
        }
        let check: Check = read(&answer)?;
        if check.app.client_id != self.client_id {
            return Err(OAuthError::NotValid("issued to another application".to_owned()));
        }
        self.person(token, check.user.map(|user| user.id)).await
    }

    async fn person(&self, token: &str, expected: Option<u64>) -> Result<Proof, OAuthError> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("x-github-api-version", "2022-11-28")];
        let user: User = read(&self.client.get(&format!("{}/user", self.api), &headers).await?)?;
        if expected.is_some_and(|id| id != user.id) {
            return Err(OAuthError::NotValid("the token is somebody else's".to_owned()));
        }
        let url = format!("{}/user/emails?per_page={ADDRESSES_MAX}", self.api);
        let addresses: Vec<Address> = read(&self.client.get(&url, &headers).await?)?;
        let verified = || addresses.iter().filter(|it| it.verified);
        let chosen = verified().find(|it| it.primary).or_else(|| verified().next());
        let told = Person {
            subject: user.id.to_string(),
            email: chosen.map(|it| it.email.clone()),
            is_email_verified: chosen.is_some(),
            nickname: Some(user.login),
            name: user.name,
            given_name: None,
            family_name: None,
            picture: user.avatar_url,
        };
        told.proof(&self.name, &self.web)
    }

    fn library(&self, redirect_uri: &str) -> Result<Client, OAuthError> {
        let bad = |_| OAuthError::Configuration("an address is not usable".to_owned());
        let authorize = format!("{}/login/oauth/authorize", self.web);
        let token = format!("{}/login/oauth/access_token", self.web);
        let secret = self.client_secret.expose_secret().to_owned();
        Ok(BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::new(authorize).map_err(bad)?)
            .set_token_uri(TokenUrl::new(token).map_err(bad)?)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(bad)?))
    }
}
