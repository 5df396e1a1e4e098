//! The header of an access token, read strictly: exactly `alg`, `typ` and `kid`, each once, each with its one value.
//! So `jku`, `x5u`, `jwk`, `crit` and whatever comes next are refused without being understood.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::KeyId;
use serde::Deserialize;

use super::AccessTokenError;
use crate::service_key::ServiceKeys;

/// Longer than any header made here.
const HEADER_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// The key that a token with a proper header of this type names.
pub fn key_id(token: &str, typ: &str) -> Result<KeyId, AccessTokenError> {
    let (header, _) = token.split_once('.').ok_or(AccessTokenError::Malformed)?;
    if header.len() > HEADER_CHARS_MAX {
        return Err(AccessTokenError::WrongHeader);
    }
    let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| AccessTokenError::Malformed)?;
    let header: StrictHeader =
        serde_json::from_slice(&json).map_err(|_| AccessTokenError::WrongHeader)?;
    if header.alg != "EdDSA" || header.typ != typ {
        return Err(AccessTokenError::WrongHeader);
    }
    let id: KeyId = header.kid.parse().map_err(|_| AccessTokenError::UnknownKey)?;
    // A UUID has several spellings, a key id has one.
    (id.to_string() == header.kid).then_some(id).ok_or(AccessTokenError::UnknownKey)
}

/// The public halves as a JWK set, in a stable order.
pub fn jwks(keys: &ServiceKeys) -> serde_json::Value {
    let mut all: Vec<_> = keys.signing.iter().collect();
    all.sort_by_key(|(id, _)| **id);
    let keys: Vec<_> = all
        .into_iter()
        .map(|(id, key)| {
            serde_json::json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": id.to_string(),
                "x": URL_SAFE_NO_PAD.encode(&key.public),
            })
        })
        .collect();
    serde_json::json!({ "keys": keys })
}
