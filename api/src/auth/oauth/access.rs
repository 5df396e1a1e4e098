//! What the routes of this folder share: finding a provider, redeeming a proof, filing refusals.

use std::sync::Arc;

use keynest_commands::access::Refusal;
use keynest_commands::federation::Proof;
use keynest_commands::{CommandError, Executed, Origin};
use keynest_crypto::sha256;
use keynest_domain::refusals::Scope;
use keynest_domain::{FederationId, ProviderName, user};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::shape::User;
use crate::oauth::{ProofCode, Provider};
use crate::{App, Problem};

/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// The answer to a sign-in: tokens at the top, as the existing frontend reads them, and nested, as the original API
/// answered (CONTRACT F7).
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthAnswer)]
pub struct Answer {
    message: &'static str,
    access: String,
    refresh: String,
    tokens: TokenPair,
    user: User,
    /// Whether the account began with this sign-in.
    is_new_user: bool,
}

/// The same tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthTokens)]
pub struct TokenPair {
    access: String,
    refresh: String,
}

impl App {
    /// A provider that is switched on now.
    pub(in crate::auth) fn provider(&self, name: &str) -> Result<Arc<Provider>, Problem> {
        self.providers.find(name).ok_or_else(|| Problem::new("oauth_provider_unknown"))
    }

    /// Where a provider sends browsers back to: an address of its own for each, so that no provider's answer is taken
    /// for another's.
    pub(super) fn redirect_uri(&self, provider: &Provider) -> String {
        self.redirect_uri_of(&provider.settings.name)
    }

    /// The same for one that may be switched off.
    pub(crate) fn redirect_uri_of(&self, name: &ProviderName) -> String {
        let origin = &self.settings.public_url;
        format!("{origin}/api/auth/oauth/{name}/callback/")
    }

    /// Whether browsers reach us by TLS.
    pub(super) fn is_https(&self) -> bool {
        self.settings.public_url.starts_with("https://")
    }

    /// Opens a code of the callback for whoever knows the verifier.
    pub(in crate::auth) fn open_proof_code(
        &self,
        code: &str,
        verifier: Option<&str>,
    ) -> Result<ProofCode, Problem> {
        let now = self.commands.clock().now();
        let opened = ProofCode::open(&self.cursors, code, verifier, now);
        let opened = opened.ok_or_else(|| Problem::new("oauth_code_invalid"))?;
        // Switched off since.
        self.provider(opened.proof.provider.as_str())?;
        Ok(opened)
    }

    /// Signs in with a proof.
    pub(super) async fn redeem(
        &self,
        origin: &Origin,
        trip: FederationId,
        proof: Proof,
    ) -> Result<Answer, Problem> {
        let executed = self.commands.sign_in_federated(origin, trip, proof).await;
        let executed = executed.map_err(refusal)?;
        let is_new_user = executed.outcome.is_new_user;
        let sign_in = Executed { position: executed.position, outcome: executed.outcome.sign_in };
        let tokens = self.sign_in(sign_in).await?;
        let pair = TokenPair { access: tokens.access.clone(), refresh: tokens.refresh.clone() };
        Ok(Answer {
            message: "Signed in",
            access: tokens.access,
            refresh: tokens.refresh,
            tokens: pair,
            user: User::from(&tokens.profile.user),
            is_new_user,
        })
    }

    /// Files a refusal of these routes in the audit log.
    pub(in crate::auth) async fn file_refusal(
        &self,
        origin: &Origin,
        route: &str,
        provider: Option<&str>,
        problem: Problem,
    ) -> Problem {
        let object = provider.filter(|name| self.providers.find(name).is_some());
        let refusal = Refusal {
            scope: Scope::Public,
            route: route.to_owned(),
            object: object.map(str::to_owned),
            code: problem.code(),
        };
        if let Err(error) = self.commands.record_refusal(origin, refusal).await {
            tracing::error!(%error, "a refusal could not be recorded");
        }
        problem
    }
}

/// A closed account hears so; 401 would make the frontend refresh (R4).
fn refusal(error: CommandError) -> Problem {
    if let CommandError::User(user::Rejection::Deactivated) = error {
        return Problem::new("account_inactive");
    }
    error.into()
}

/// The trip of an ID token that a client brought: the same for the same token, which is so used once.
pub fn trip_of_token(token: &str) -> FederationId {
    let digest = sha256(token.as_bytes());
    let half = digest.first_chunk().copied().unwrap_or_default();
    FederationId::new(uuid::Builder::from_custom_bytes(half).into_uuid())
}
