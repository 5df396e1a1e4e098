//! `OpenID` Connect: Google and every other provider that speaks it.

use keynest_commands::federation::Proof;
use keynest_domain::{ProviderName, Timestamp};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::error::OAuthError;
use super::oidc_document::{Document, Documents};
use super::oidc_token::{ExpectedNonce, Unbelieved, believe, person};
use super::person::Person;
use super::provider::Answer;
use super::settings::{ProviderKind, ProviderSettings};
use super::trip::Trip;
use crate::outgoing::{Origin, Outgoing, OutgoingClient};

/// A client with the two addresses that the flow needs.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// One provider.
pub struct Oidc {
    name: ProviderName,
    issuer: String,
    client_id: ClientId,
    client_secret: SecretString,
    scopes: Vec<String>,
    tokeninfo: Option<String>,
    allowed: Vec<Origin>,
    client: OutgoingClient,
    documents: Documents,
}

/// What the userinfo endpoint says. A flag is a flag: `"true"` is not.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    preferred_username: Option<String>,
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    picture: Option<String>,
}

/// To whom an access token was issued.
#[derive(Deserialize)]
struct TokenInfo {
    aud: Option<String>,
    azp: Option<String>,
    sub: Option<String>,
}

impl Oidc {
    /// Checks the addresses; asks nobody yet.
    pub fn new(settings: &ProviderSettings, outgoing: &Outgoing) -> Result<Self, OAuthError> {
        let ProviderKind::Oidc { issuer, origins, tokeninfo } = &settings.kind else {
            return Err(OAuthError::Configuration("not an OpenID Connect provider".to_owned()));
        };
        let bad = |what: &str| OAuthError::Configuration(format!("the issuer {what}"));
        let url = Url::parse(issuer).map_err(|_| bad("is not a web address"))?;
        let own = Origin::of(&url).ok_or_else(|| bad("is not a plain web address"))?;
        if url.scheme() != "https" && !outgoing.is_internal(&own) {
            return Err(bad("is neither https nor on the list of internal origins"));
        }
        let mut allowed = origins.clone();
        allowed.push(own);
        let client = outgoing.client(allowed.clone());
        let issuer_url = IssuerUrl::new(issuer.clone()).map_err(|_| bad("is not a web address"))?;
        Ok(Self {
            name: settings.name.clone(),
            issuer: issuer.clone(),
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: settings.client_secret.clone(),
            scopes: settings.scopes.clone(),
            tokeninfo: tokeninfo.clone(),
            allowed,
            documents: Documents::new(issuer_url, client.clone()),
            client,
        })
    }

    /// Where the browser goes to sign in.
    pub async fn authorize_url(
        &self,
        trip: &Trip,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        let document = self.documents.get(now).await?;
        let client = self.library(&document, redirect_uri)?;
        let verifier = PkceCodeVerifier::new(trip.verifier.clone());
        let (state, nonce) = (trip.state.clone(), trip.nonce.clone());
        let scopes = self.scopes.iter().filter(|scope| *scope != "openid");
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(scopes.cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        match Origin::of(&url) {
            Some(origin) if self.allowed.contains(&origin) => Ok(url.into()),
            other => Err(not_listed(other)),
        }
    }

    /// Asks for the document and the keys, and whether everything that it names may be asked.
    pub async fn check(&self, now: Timestamp) -> Result<(), OAuthError> {
        let document = self.documents.get(now).await?;
        let metadata = &document.metadata;
        let no_token = || OAuthError::Malformed("it has no token endpoint".to_owned());
        let token = metadata.token_endpoint().ok_or_else(no_token)?.url();
        let user_info = metadata.userinfo_endpoint().map(|it| it.url());
        for url in [metadata.authorization_endpoint().url(), token].into_iter().chain(user_info) {
            match Origin::of(url) {
                Some(origin) if self.allowed.contains(&origin) => {}
                other => return Err(not_listed(other)),
            }
        }
        Ok(())
    }

    /// Exchanges the code, and believes the ID token if everything about it is right.
    pub async fn prove_answer(
        &self,
        trip: &Trip,
        answer: Answer,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Proof, OAuthError> {
        let document = self.documents.get(now).await?;
        let is_from_it = match &answer.issuer {
            Some(issuer) => *issuer == self.issuer,
            None => !document.tells_issuer,
        };
        if !is_from_it {
            return Err(OAuthError::NotValid("the answer is another issuer's".to_owned()));
        }
        let tokens = self
            .library(&document, redirect_uri)?
            .exchange_code(AuthorizationCode::new(answer.code))
            .set_pkce_verifier(PkceCodeVerifier::new(trip.verifier.clone()))
            .request_async(&self.client)
            .await
            .map_err(exchange_failed)?;
        let token = tokens.extra_fields().id_token();
        let token = token.ok_or_else(|| OAuthError::NotValid("there is no ID token".to_owned()))?;
        let claims = self.believe(token, document, Some(&trip.nonce), now).await?;
        let mut told = person(&claims);
        if told.email.is_none() {
            // Many providers tell addresses only here.
            told = self.user_info(tokens.access_token().secret(), &told.subject, now).await?;
        }
        told.proof(&self.name, &self.issuer)
    }

    /// Asks the provider whose token it is before it counts.
    pub async fn prove_access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Proof, OAuthError> {
        let not_valid = |why: &str| OAuthError::NotValid(why.to_owned());
        let tokeninfo =
            self.tokeninfo.as_deref().ok_or_else(|| not_valid("access tokens are not taken"))?;
        let mut url = Url::parse(tokeninfo)
            .map_err(|_| OAuthError::Configuration("tokeninfo is no address".to_owned()))?;
        url.query_pairs_mut().append_pair("access_token", token);
        let answer = self.client.get(url.as_str(), &[]).await?;
        if answer.status().is_client_error() {
            return Err(not_valid("the provider does not know the access token"));
        }
        let info: TokenInfo = read(&answer)?;
        let ours = Some(self.client_id.as_str());
        let is_ours =
            info.aud.as_deref() == ours && info.azp.as_deref().is_none_or(|it| Some(it) == ours);
        if !is_ours {
            return Err(not_valid("the access token was issued to another application"));
        }
        let subject = info.sub.ok_or_else(|| not_valid("the access token is nobody's"))?;
        self.user_info(token, &subject, now).await?.proof(&self.name, &self.issuer)
    }

    /// Believes an ID token that a client brought; it began the sign-in, so the nonce is its own matter.
    pub async fn prove_id_token(&self, token: &str, now: Timestamp) -> Result<Proof, OAuthError> {
        let token: CoreIdToken =
            serde_json::from_value(serde_json::Value::String(token.to_owned()))
                .map_err(|_| OAuthError::NotValid("it is no ID token".to_owned()))?;
        let document = self.documents.get(now).await?;
        let claims = self.believe(&token, document, None, now).await?;
        person(&claims).proof(&self.name, &self.issuer)
    }

    /// Looks for newer keys once, if the token names one that is not known.
    async fn believe(
        &self,
        token: &CoreIdToken,
        document: Document,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<CoreIdTokenClaims, OAuthError> {
        let expected = || nonce.map_or(ExpectedNonce::Any, ExpectedNonce::Of);
        let believed = match believe(token, &document, &self.client_id, expected(), now) {
            Err(Unbelieved::KeyUnknown) => match self.documents.with_newer_keys(now).await? {
                Some(newer) => believe(token, &newer, &self.client_id, expected(), now),
                None => Err(Unbelieved::KeyUnknown),
            },
            believed => believed,
        };
        Ok(believed?)
    }

    async fn user_info(
        &self,
        access_token: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<Person, OAuthError> {
        let document = self.documents.get(now).await?;
        let Some(url) = document.metadata.userinfo_endpoint() else {
            return Err(OAuthError::NotValid("the provider tells no address".to_owned()));
        };
        let bearer = format!("Bearer {access_token}");
        let answer = self.client.get(url.as_str(), &[("authorization", &bearer)]).await?;
        if answer.status().is_client_error() {
            return Err(OAuthError::Refused(format!("userinfo: status {}", answer.status())));
        }
        let told: UserInfo = read(&answer)?;
        if told.sub != subject {
            return Err(OAuthError::NotValid("userinfo is about somebody else".to_owned()));
        }
        Ok(Person {
            subject: told.sub,
            email: told.email,
            is_email_verified: told.email_verified,
            nickname: told.preferred_username,
            name: told.name,
            given_name: told.given_name,
            family_name: told.family_name,
            picture: told.picture,
        })
    }

    fn library(&self, document: &Document, redirect_uri: &str) -> Result<Client, OAuthError> {
        let metadata = &document.metadata;
        let token_url: &TokenUrl = metadata
            .token_endpoint()
            .ok_or_else(|| OAuthError::Malformed("it has no token endpoint".to_owned()))?;
        let redirect = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|_| OAuthError::Configuration("the public URL is no address".to_owned()))?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes_basic =
            methods.is_none_or(|it| it.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let auth_type = if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        let secret = self.client_secret.expose_secret();
        let client = CoreClient::new(
            self.client_id.clone(),
            metadata.issuer().clone(),
            document.keys.clone(),
        )
        .set_auth_type(auth_type)
        .set_auth_uri(metadata.authorization_endpoint().clone())
        .set_token_uri(token_url.clone())
        .set_redirect_uri(redirect);
        // A client without a secret is one that PKCE alone protects.
        Ok(match secret.is_empty() {
            true => client,
            false => client.set_client_secret(ClientSecret::new(secret.to_owned())),
        })
    }
}

fn not_listed(origin: Option<Origin>) -> OAuthError {
    OAuthError::NotListed(origin.map_or_else(String::new, |it| it.to_string()))
}

/// A body in JSON.
pub fn read<T: DeserializeOwned>(answer: &http::Response<Vec<u8>>) -> Result<T, OAuthError> {
    if !answer.status().is_success() {
        return Err(OAuthError::Malformed(format!("status {}", answer.status())));
    }
    serde_json::from_slice(answer.body()).map_err(|error| OAuthError::Malformed(error.to_string()))
}

/// What the token endpoint said, without anything that it echoes.
pub fn exchange_failed<T: oauth2::ErrorResponse>(
    error: RequestTokenError<crate::outgoing::OutgoingError, T>,
) -> OAuthError {
    match error {
        RequestTokenError::Request(error) => OAuthError::Outgoing(error),
        RequestTokenError::ServerResponse(_) => {
            OAuthError::Refused("it does not take the code".to_owned())
        }
        RequestTokenError::Parse(error, _) => OAuthError::Malformed(error.to_string()),
        RequestTokenError::Other(why) => OAuthError::Malformed(why),
    }
}
