//! Access tokens: JWT, EdDSA, `at+jwt`, 60 minutes (DESIGN 8, RFC 8725, RFC 9068).

use jsonwebtoken::{Algorithm, Header, Validation};
use keynest_domain::{Lifetime, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::keyring::Keyring;
use crate::random;
use known::Known;

pub(crate) mod header;
mod known;

/// How long a token is good, where the configuration does not say; it says at most this.
pub const ACCESS_TOKEN_LIFETIME: Lifetime = Lifetime::from_minutes(60);
/// The longest token that is made or looked at.
pub const ACCESS_TOKEN_BYTES_MAX: usize = 4_096;
/// Room for the permissions, in bytes of JSON; those past it are left out, since they only inform.
const PERMISSIONS_BYTES_MAX: usize = 2_048;
/// Room for all claims, in bytes of JSON: a token of this much is within the limit when encoded, header and signature
/// included.
const CLAIMS_BYTES_MAX: usize = 2_880;
/// How far clocks of two processes may differ, in seconds (DESIGN 9).
pub(crate) const LEEWAY_SECS: i64 = 5;
const TYP: &str = "at+jwt";
const TOKEN_TYPE: &str = "access";

/// What a token says about its bearer. Never printed: it holds personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessClaims {
    pub user: UserId,
    pub session: SessionId,
    /// The user's credential epoch at sign-in.
    pub epoch: u32,
    pub username: String,
    pub email: String,
    pub full_name: String,
    /// For clients to show or hide things; never trusted here.
    pub permissions: Vec<String>,
}

/// A token that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub claims: AccessClaims,
    /// Unique, 32 hexadecimal digits.
    pub id: String,
    /// In whole seconds.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Why a token is not good: for metrics and tests. Callers are told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    #[error("the token has not the form of an access token")]
    Malformed,
    #[error("the token's header is not that of an access token")]
    WrongHeader,
    #[error("the token names no key of ours")]
    UnknownKey,
    #[error("the token's signature, issuer or audience is wrong")]
    Forged,
    #[error("the token is of another type")]
    WrongType,
    #[error("the token has expired")]
    Expired,
    #[error("the token is from the future")]
    NotYetValid,
    #[error("the claims do not fit into a token")]
    TooLong,
}

/// Makes and checks access tokens.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    keyring: Keyring,
    issuer: String,
    audience: String,
    lifetime: Lifetime,
    validation: Validation,
    known: Known,
}

/// The claims as they travel.
#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: String,
    sid: SessionId,
    username: String,
    email: String,
    full_name: String,
    permissions: Vec<String>,
    token_type: String,
    epoch: u32,
}

impl AccessTokens {
    /// `issuer` is `public.url`; issuer and audience are compared exactly.
    pub fn new(keyring: Keyring, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        let (issuer, audience) = (issuer.into(), audience.into());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        // Time is an argument here, and `verify` checks it.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let (lifetime, known) = (ACCESS_TOKEN_LIFETIME, Known::default());
        Self { keyring, issuer, audience, lifetime, validation, known }
    }

    /// Tokens made here are good for this long, and never longer than [`ACCESS_TOKEN_LIFETIME`].
    #[must_use]
    pub fn with_lifetime(self, lifetime: Lifetime) -> Self {
        Self { lifetime: lifetime.min(ACCESS_TOKEN_LIFETIME), ..self }
    }

    /// A signed token, good from `now`. Fails only if names are longer than the domain's.
    pub fn mint(
        &self,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<SecretString, AccessTokenError> {
        let keys = self.keyring.service();
        let header = Header {
            typ: Some(TYP.to_owned()),
            kid: Some(keys.signing.active_id().to_string()),
            ..Header::new(Algorithm::EdDSA)
        };
        let wire = self.wire(claims, now)?;
        let token = jsonwebtoken::encode(&header, &wire, &keys.signing.active().signs)
            .expect("a header and claims of texts and numbers can be signed with a parsed key");
        if token.len() > ACCESS_TOKEN_BYTES_MAX {
            return Err(AccessTokenError::TooLong);
        }
        Ok(token.into())
    }

    /// Checks everything a token says against keys, house and time. Whether its session goes on is another question.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<AccessToken, AccessTokenError> {
        if text.len() > ACCESS_TOKEN_BYTES_MAX || text.split('.').count() != 3 {
            return Err(AccessTokenError::Malformed);
        }
        let key_id = header::key_id(text, TYP)?;
        let keys = self.keyring.service();
        let key = keys.signing.get(key_id).ok_or(AccessTokenError::UnknownKey)?;
        let wire = self.known.or_check(text, || {
            let checked = jsonwebtoken::decode::<Wire>(text, &key.verifies, &self.validation);
            checked.map(|token| token.claims).map_err(|_| AccessTokenError::Forged)
        })?;
        if wire.token_type != TOKEN_TYPE {
            return Err(AccessTokenError::WrongType);
        }
        if wire.exp <= now.seconds() {
            return Err(AccessTokenError::Expired);
        }
        let latest = now.seconds() + LEEWAY_SECS;
        let lives_too_long = wire.exp.saturating_sub(wire.iat) > lifetime_max_secs();
        if wire.iat > latest || wire.nbf.is_some_and(|nbf| nbf > latest) || lives_too_long {
            return Err(AccessTokenError::NotYetValid);
        }
        token(wire)
    }

    /// The public keys, for `/.well-known/jwks.json` (RFC 7517, RFC 8037): the active one and those that still verify.
    pub fn jwks(&self) -> serde_json::Value {
        header::jwks(&self.keyring.service())
    }

    fn wire(&self, claims: &AccessClaims, now: Timestamp) -> Result<Wire, AccessTokenError> {
        let mut wire = Wire {
            iss: self.issuer.clone(),
            sub: claims.user.to_string(),
            aud: self.audience.clone(),
            exp: now.seconds() + i64::from(self.lifetime.secs()),
            iat: now.seconds(),
            nbf: None,
            jti: format!("{:032x}", random::bits128()),
            sid: claims.session,
            username: claims.username.clone(),
            email: claims.email.clone(),
            full_name: claims.full_name.clone(),
            permissions: Vec::new(),
            token_type: TOKEN_TYPE.to_owned(),
            epoch: claims.epoch,
        };
        let room =
            CLAIMS_BYTES_MAX.checked_sub(json_len(&wire)).ok_or(AccessTokenError::TooLong)?;
        let mut room = room.min(PERMISSIONS_BYTES_MAX);
        for permission in &claims.permissions {
            let Some(left) = room.checked_sub(json_len(permission) + 1) else { break };
            room = left;
            wire.permissions.push(permission.clone());
        }
        Ok(wire)
    }
}

fn token(wire: Wire) -> Result<AccessToken, AccessTokenError> {
    let user: UserId = wire.sub.parse().map_err(|_| AccessTokenError::Malformed)?;
    if user.to_string() != wire.sub {
        return Err(AccessTokenError::Malformed);
    }
    let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    Ok(AccessToken {
        claims: AccessClaims {
            user,
            session: wire.sid,
            epoch: wire.epoch,
            username: wire.username,
            email: wire.email,
            full_name: wire.full_name,
            permissions: wire.permissions,
        },
        id: wire.jti,
        issued_at: at(wire.iat),
        expires_at: at(wire.exp),
    })
}

/// What any process may have given to a token, whatever this one gives.
fn lifetime_max_secs() -> i64 {
    i64::from(ACCESS_TOKEN_LIFETIME.secs())
}

fn json_len(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).expect("texts and numbers have a JSON form").len()
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessToken({}, {})", self.claims.user, self.claims.session)
    }
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
