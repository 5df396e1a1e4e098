//! Tokens of other issuers, such as those of GitHub Actions and Kubernetes: JWT of an allowed algorithm, signed by a
//! published key, for this instance, made moments ago (RFC 8725).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use keynest_domain::condition::Claims;
use keynest_domain::{Lifetime, Timestamp};
use serde_json::{Map, Value};

/// The longest token that is looked at.
pub const FOREIGN_TOKEN_BYTES_MAX: usize = 8 * 1024;
/// How long ago a token may have been made.
pub const FOREIGN_TOKEN_AGE_MAX: Lifetime = Lifetime::from_minutes(10);
/// Keys of one issuer, at most.
const KEYS_MAX: usize = 100;
/// How far clocks may differ, in seconds.
const LEEWAY_SECS: i64 = 30;
/// RSA keys below 2,048 bits are no keys.
const RSA_MODULUS_CHARS_MIN: usize = 340;

/// The published keys of an issuer.
#[derive(Clone, Debug)]
pub struct ForeignKeys(JwkSet);

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignToken {
    /// The texts of its claims.
    pub claims: Claims,
    /// Equal for every copy of the token, whatever is done to its signature.
    pub identity: String,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum ForeignTokenError {
    #[error("it has not the form of a signed token")]
    Malformed,
    #[error("its algorithm is not RS256, ES256 or EdDSA")]
    Algorithm,
    #[error("the issuer publishes no such key")]
    UnknownKey,
    #[error("its signature, issuer or audience is wrong")]
    Forged,
    #[error("it has expired")]
    Expired,
    #[error("it is from the future")]
    NotYetValid,
    #[error("it was made too long ago")]
    TooOld,
}

impl ForeignKeys {
    /// Reads a JWK set; `None` if it is none or has too many keys.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let set: JwkSet = serde_json::from_slice(json).ok()?;
        (set.keys.len() <= KEYS_MAX).then_some(Self(set))
    }

    /// Checks a token against these keys. `audience` is this instance, compared exactly.
    pub fn verify(
        &self,
        text: &str,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<ForeignToken, ForeignTokenError> {
        let header = header(text)?;
        let jwk = self.key(header.key_id.as_deref(), header.algorithm)?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| ForeignTokenError::UnknownKey)?;
        let mut validation = Validation::new(header.algorithm);
        validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // Time is an argument here.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(text, &key, &validation)
            .map_err(|_| ForeignTokenError::Forged)?
            .claims;
        check_time(&claims, now.seconds())?;
        let signed = text.rsplit_once('.').map_or(text, |(signed, _)| signed);
        let id = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty());
        let identity = match id {
            Some(id) => format!("{issuer}\njti\n{id}"),
            None => format!("{issuer}\ntext\n{signed}"),
        };
        Ok(ForeignToken { claims: texts(claims), identity })
    }

    /// The key that a token names or, if it names none, the only one.
    fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Jwk, ForeignTokenError> {
        let named = match id {
            Some(id) => self.0.find(id),
            None => self.0.keys.first().filter(|_| self.0.keys.len() == 1),
        };
        named.filter(|key| fits(key, algorithm)).ok_or(ForeignTokenError::UnknownKey)
    }
}

struct ForeignHeader {
    algorithm: Algorithm,
    key_id: Option<String>,
}

/// Only algorithm and key id are taken from a header: nothing in it names another place to find keys.
fn header(text: &str) -> Result<ForeignHeader, ForeignTokenError> {
    if text.len() > FOREIGN_TOKEN_BYTES_MAX || text.split('.').count() != 3 {
        return Err(ForeignTokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(text).map_err(|_| ForeignTokenError::Malformed)?;
    let allowed = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    if !allowed.contains(&header.alg) {
        return Err(ForeignTokenError::Algorithm);
    }
    Ok(ForeignHeader { algorithm: header.alg, key_id: header.kid })
}

/// A key is for one kind of algorithm, so that none is swapped for another.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signing = match &key.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => true,
        Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => false,
    };
    // Shared secrets, and whatever comes next, fit nothing.
    let is_of_kind = if let AlgorithmParameters::RSA(rsa) = &key.algorithm {
        algorithm == Algorithm::RS256 && rsa.n.len() >= RSA_MODULUS_CHARS_MIN
    } else if let AlgorithmParameters::EllipticCurve(curve) = &key.algorithm {
        algorithm == Algorithm::ES256 && curve.curve == EllipticCurve::P256
    } else if let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm {
        algorithm == Algorithm::EdDSA && pair.curve == EllipticCurve::Ed25519
    } else {
        false
    };
    is_for_signing && is_of_kind
}

fn check_time(claims: &Map<String, Value>, now: i64) -> Result<(), ForeignTokenError> {
    let seconds = |name| claims.get(name).map(|at| at.as_i64().or_else(|| whole(at)));
    let (Some(Some(expires_at)), Some(Some(issued_at))) = (seconds("exp"), seconds("iat")) else {
        return Err(ForeignTokenError::Malformed);
    };
    if expires_at <= now {
        return Err(ForeignTokenError::Expired);
    }
    let latest = now + LEEWAY_SECS;
    let starts_at = match seconds("nbf") {
        None => issued_at,
        Some(starts_at) => starts_at.ok_or(ForeignTokenError::Malformed)?,
    };
    if issued_at > latest || starts_at > latest {
        return Err(ForeignTokenError::NotYetValid);
    }
    if issued_at < now - i64::from(FOREIGN_TOKEN_AGE_MAX.secs()) {
        return Err(ForeignTokenError::TooOld);
    }
    Ok(())
}

/// Some issuers write times with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
fn whole(at: &Value) -> Option<i64> {
    let seconds = at.as_f64()?;
    (0.0..9e15).contains(&seconds).then_some(seconds as i64)
}

fn texts(claims: Map<String, Value>) -> Claims {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    claims.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

#[cfg(test)]
#[path = "foreign_token_tests.rs"]
mod tests;
