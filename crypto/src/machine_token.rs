//! Access tokens of services that signed in with another issuer's token: JWT, EdDSA, of a type of their own, so that
//! neither kind passes for the other. They name the rule that allowed them and die with it.

use jsonwebtoken::{Algorithm, Header, Validation};
use keynest_domain::{Lifetime, OrganizationId, Timestamp, TokenId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::access_token::{AccessTokenError, LEEWAY_SECS, header};
use crate::keyring::Keyring;
use crate::random;

/// The longest that one is good.
pub const MACHINE_TOKEN_LIFETIME_MAX: Lifetime = Lifetime::from_minutes(60);
/// The longest token that is looked at.
const BYTES_MAX: usize = 1_024;
const TYP: &str = "kn-service+jwt";
const AUDIENCE: &str = "keynest-services";

/// What a token says of its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MachineClaims {
    pub trust: TokenId,
    pub organization: OrganizationId,
}

/// Makes and checks them.
#[derive(Clone, Debug)]
pub struct MachineTokens {
    keyring: Keyring,
    issuer: String,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    org: OrganizationId,
}

impl MachineTokens {
    /// `issuer` is `public.url`, compared exactly.
    pub fn new(keyring: Keyring, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[AUDIENCE]);
        // Time is an argument here, and `verify` checks it.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keyring, issuer, validation }
    }

    /// Whether a text names this type in its header; nothing is checked.
    pub fn recognises(text: &str) -> bool {
        header::key_id(text, TYP).is_ok()
    }

    /// A signed token, good from `now` until `expires_at`.
    pub fn mint(
        &self,
        claims: MachineClaims,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> SecretString {
        let keys = self.keyring.service();
        let header = Header {
            typ: Some(TYP.to_owned()),
            kid: Some(keys.signing.active_id().to_string()),
            ..Header::new(Algorithm::EdDSA)
        };
        let wire = Wire {
            iss: self.issuer.clone(),
            sub: claims.trust.to_string(),
            aud: AUDIENCE.to_owned(),
            exp: expires_at.seconds(),
            iat: now.seconds(),
            jti: format!("{:032x}", random::bits128()),
            org: claims.organization,
        };
        jsonwebtoken::encode(&header, &wire, &keys.signing.active().signs)
            .expect("a header and claims of texts and numbers can be signed with a parsed key")
            .into()
    }

    /// Checks everything a token says against keys, house and time. Whether its rule stands is another question.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<MachineClaims, AccessTokenError> {
        if text.len() > BYTES_MAX || text.split('.').count() != 3 {
            return Err(AccessTokenError::Malformed);
        }
        let keys = self.keyring.service();
        let key =
            keys.signing.get(header::key_id(text, TYP)?).ok_or(AccessTokenError::UnknownKey)?;
        let wire = jsonwebtoken::decode::<Wire>(text, &key.verifies, &self.validation)
            .map_err(|_| AccessTokenError::Forged)?
            .claims;
        if wire.exp <= now.seconds() {
            return Err(AccessTokenError::Expired);
        }
        let lifetime_max = i64::from(MACHINE_TOKEN_LIFETIME_MAX.secs());
        let lives_too_long = wire.exp.saturating_sub(wire.iat) > lifetime_max;
        if wire.iat > now.seconds() + LEEWAY_SECS || lives_too_long {
            return Err(AccessTokenError::NotYetValid);
        }
        let trust = wire.sub.parse().map_err(|_| AccessTokenError::Malformed)?;
        Ok(MachineClaims { trust, organization: wire.org })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{every_damage, keyring};
    use crate::{AccessClaims, AccessTokens};

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
    const HOUSE: &str = "https://keynest.example";
    const CLAIMS: MachineClaims =
        MachineClaims { trust: TokenId::new(7), organization: OrganizationId::new(8) };

    #[tokio::test]
    async fn a_token_is_good_for_its_time_in_its_house() {
        let keyring = keyring().await;
        let tokens = MachineTokens::new(keyring.clone(), HOUSE);
        let until = NOW + Lifetime::from_minutes(5);
        let token = tokens.mint(CLAIMS, NOW, until);
        let text = token.expose_secret();
        assert_eq!(tokens.verify(text, NOW), Ok(CLAIMS));
        assert_eq!(tokens.verify(text, until), Err(AccessTokenError::Expired));
        let early = NOW - Lifetime::from_secs(6);
        assert_eq!(tokens.verify(text, early), Err(AccessTokenError::NotYetValid));
        let elsewhere = MachineTokens::new(keyring, "https://other.example");
        assert_eq!(elsewhere.verify(text, NOW), Err(AccessTokenError::Forged));
        for damaged in every_damage(text) {
            assert!(tokens.verify(&damaged, NOW).is_err(), "{damaged}");
        }
        let too_long = tokens.mint(CLAIMS, NOW, NOW + Lifetime::from_minutes(61));
        assert!(tokens.verify(too_long.expose_secret(), NOW).is_err());
    }

    #[tokio::test]
    async fn neither_kind_passes_for_the_other() {
        let keyring = keyring().await;
        let machines = MachineTokens::new(keyring.clone(), HOUSE);
        let people = AccessTokens::new(keyring, HOUSE, "keynest");
        let claims = AccessClaims {
            user: keynest_domain::UserId::new(7),
            session: keynest_domain::SessionId::new(uuid::Uuid::from_u128(7)),
            epoch: 0,
            username: String::new(),
            email: String::new(),
            full_name: String::new(),
            permissions: Vec::new(),
        };
        let person = people.mint(&claims, NOW).unwrap();
        let machine = machines.mint(CLAIMS, NOW, NOW + Lifetime::from_minutes(5));
        assert!(machines.verify(person.expose_secret(), NOW).is_err());
        assert!(people.verify(machine.expose_secret(), NOW).is_err());
        assert!(MachineTokens::recognises(machine.expose_secret()));
        assert!(!MachineTokens::recognises(person.expose_secret()));
    }
}
