//! Whether an ID token is one, of this provider, for this application, now.

use chrono::{DateTime, Utc};
use keynest_domain::{Lifetime, Timestamp};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, Nonce, NonceVerifier, SignatureVerificationError,
};

use super::error::OAuthError;
use super::oidc_document::Document;
use super::person::Person;

/// How far a provider's clock may be ahead of ours.
pub const CLOCK_AHEAD_MAX: Lifetime = Lifetime::from_minutes(1);
/// Signatures with a public key only: a shared secret must not make a token, nor may nobody.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why a token is not believed.
pub enum Unbelieved {
    /// Signed by a key that we have not seen; newer keys may know it.
    KeyUnknown,
    /// For good.
    NotValid(String),
}

/// Which nonce the token must have.
pub enum ExpectedNonce<'a> {
    /// The one that our trip took along.
    Of(&'a str),
    /// The client that brings the token began the sign-in itself, and checks its own.
    Any,
}

impl NonceVerifier for ExpectedNonce<'_> {
    fn verify(self, nonce: Option<&Nonce>) -> Result<(), String> {
        match self {
            Self::Of(expected) => (&Nonce::new(expected.to_owned())).verify(nonce),
            Self::Any => Ok(()),
        }
    }
}

/// The claims of a token that holds.
pub fn believe(
    token: &CoreIdToken,
    document: &Document,
    client_id: &ClientId,
    nonce: ExpectedNonce<'_>,
    now: Timestamp,
) -> Result<CoreIdTokenClaims, Unbelieved> {
    let (time, latest) = (moment(now), moment(now + CLOCK_AHEAD_MAX));
    let issuer = document.metadata.issuer().clone();
    // "Public" as to signatures: only public keys make tokens here.
    let verifier =
        CoreIdTokenVerifier::new_public_client(client_id.clone(), issuer, document.keys.clone())
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || time)
            .set_issue_time_verifier_fn(move |issued| match issued <= latest {
                true => Ok(()),
                false => Err("issued in the future".to_owned()),
            });
    let claims = token.claims(&verifier, nonce).map_err(|error| {
        if let ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) = error
        {
            return Unbelieved::KeyUnknown;
        }
        Unbelieved::NotValid(error.to_string())
    })?;
    // The library leaves this to its callers.
    if claims.authorized_party().is_some_and(|party| party != client_id) {
        return Err(Unbelieved::NotValid("issued to another application".to_owned()));
    }
    Ok(claims.clone())
}

/// The person whom the claims are about.
pub fn person(claims: &CoreIdTokenClaims) -> Person {
    Person {
        subject: claims.subject().as_str().to_owned(),
        email: claims.email().map(|it| it.as_str().to_owned()),
        is_email_verified: claims.email_verified() == Some(true),
        nickname: claims.preferred_username().map(|it| it.as_str().to_owned()),
        name: claims.name().and_then(|it| it.get(None)).map(|it| it.as_str().to_owned()),
        given_name: claims
            .given_name()
            .and_then(|it| it.get(None))
            .map(|it| it.as_str().to_owned()),
        family_name: claims
            .family_name()
            .and_then(|it| it.get(None))
            .map(|it| it.as_str().to_owned()),
        picture: claims.picture().and_then(|it| it.get(None)).map(|it| it.as_str().to_owned()),
    }
}

impl From<Unbelieved> for OAuthError {
    fn from(why: Unbelieved) -> Self {
        Self::NotValid(match why {
            Unbelieved::KeyUnknown => "signed with a key that is none of the provider's".to_owned(),
            Unbelieved::NotValid(why) => why,
        })
    }
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.micros()).unwrap_or_default()
}
