//! Tests of foreign tokens: one good token per algorithm, and the forgeries of THREATS 1.5.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use aws_lc_rs::{hmac, rand, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const ISSUER: &str = "https://token.actions.example";
const HOUSE: &str = "https://keynest.example";

/// An issuer with a key of each kind.
struct Issuer {
    rsa: rsa::KeyPair,
    curve: EcdsaKeyPair,
    edwards: Ed25519KeyPair,
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    fn new() -> Self {
        Self {
            rsa: rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap(),
            curve: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            edwards: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn published(&self) -> Value {
        let public = self.rsa.public_key();
        let point = self.curve.public_key().as_ref();
        json!({ "keys": [
            { "kty": "RSA", "kid": "r", "use": "sig", "n": encoded(public.modulus().big_endian_without_leading_zero()),
              "e": encoded(public.exponent().big_endian_without_leading_zero()) },
            { "kty": "EC", "crv": "P-256", "kid": "c", "x": encoded(&point[1..33]), "y": encoded(&point[33..]) },
            { "kty": "OKP", "crv": "Ed25519", "kid": "e", "x": encoded(self.edwards.public_key().as_ref()) },
            { "kty": "oct", "kid": "h", "k": encoded("secret") },
        ] })
    }

    fn keys(&self) -> ForeignKeys {
        ForeignKeys::parse(self.published().to_string().as_bytes()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let random = rand::SystemRandom::new();
        let signature = match header["alg"].as_str().unwrap() {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            "ES256" => self.curve.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            "EdDSA" => self.edwards.sign(text.as_bytes()).as_ref().to_vec(),
            "HS256" => {
                let secret = self.edwards.public_key().as_ref();
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{text}.{}", encoded(signature))
    }

    fn verify(&self, header: Value, claims: &Value) -> Result<ForeignToken, ForeignTokenError> {
        self.keys().verify(&self.sign(&header, claims), ISSUER, HOUSE, NOW)
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": HOUSE, "sub": "repo:acme/shop", "iat": NOW.seconds() - 5,
        "nbf": NOW.seconds() - 5, "exp": NOW.seconds() + 300, "jti": "1", "run_attempt": 2, "list": ["x"] })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn edwards() -> Value {
    json!({ "alg": "EdDSA", "typ": "JWT", "kid": "e" })
}

#[test]
fn a_good_token_of_each_algorithm_tells_its_claims() {
    let issuer = Issuer::new();
    for (algorithm, kid) in [("RS256", "r"), ("ES256", "c"), ("EdDSA", "e")] {
        let good = issuer.verify(json!({ "alg": algorithm, "kid": kid }), &claims()).unwrap();
        assert_eq!(good.claims["sub"], "repo:acme/shop");
        assert_eq!(good.claims["run_attempt"], "2");
        assert!(!good.claims.contains_key("list"));
        assert_eq!(good.identity, format!("{ISSUER}\njti\n1"));
    }
}

#[test]
fn what_is_wrong_with_a_header_is_refused() {
    let issuer = Issuer::new();
    use ForeignTokenError::*;
    for (header, why) in [
        (json!({ "alg": "none", "kid": "e" }), Malformed),
        (json!({ "alg": "HS256", "kid": "e" }), Algorithm),
        (json!({ "alg": "HS256", "kid": "h" }), Algorithm),
        (json!({ "alg": "EdDSA", "kid": "other" }), UnknownKey),
        (json!({ "alg": "EdDSA" }), UnknownKey),
        (json!({ "alg": "EdDSA", "kid": "c" }), UnknownKey),
        (json!({ "alg": "EdDSA", "kid": "r" }), UnknownKey),
        (json!({ "alg": "RS256", "kid": "e" }), UnknownKey),
    ] {
        assert_eq!(issuer.verify(header.clone(), &claims()), Err(why), "{header}");
    }
    let stranger = Issuer::new();
    let token = stranger.sign(&edwards(), &claims());
    assert_eq!(issuer.keys().verify(&token, ISSUER, HOUSE, NOW), Err(Forged));
}

#[test]
fn what_is_wrong_with_the_claims_is_refused() {
    let issuer = Issuer::new();
    let at = |offset: i64| json!(NOW.seconds() + offset);
    use ForeignTokenError::*;
    for (claims, why) in [
        (with("iss", json!("https://evil.example")), Forged),
        (with("iss", json!(format!("{ISSUER}/"))), Forged),
        (with("aud", json!("https://other.example")), Forged),
        (with("aud", json!([])), Forged),
        (with("aud", Value::Null), Forged),
        (with("sub", Value::Null), Forged),
        (with("exp", at(0)), Expired),
        (with("exp", json!("9999999999")), Forged),
        (with("iat", at(31)), NotYetValid),
        (with("nbf", at(31)), NotYetValid),
        (with("nbf", json!("soon")), Malformed),
        (with("iat", at(-601)), TooOld),
        (with("iat", Value::Null), Malformed),
    ] {
        assert_eq!(issuer.verify(edwards(), &claims), Err(why), "{claims}");
    }
    let huge = with("pad", json!("x".repeat(FOREIGN_TOKEN_BYTES_MAX)));
    assert_eq!(issuer.verify(edwards(), &huge), Err(Malformed));
}

#[test]
fn another_signature_over_the_same_text_is_the_same_token() {
    let issuer = Issuer::new();
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("jti");
    let header = json!({ "alg": "ES256", "kid": "c" });
    let [one, two] = [(); 2].map(|()| issuer.sign(&header, &claims));
    assert_ne!(one, two, "signatures of this kind differ each time");
    let identity = |text: &str| issuer.keys().verify(text, ISSUER, HOUSE, NOW).unwrap().identity;
    assert_eq!(identity(&one), identity(&two));
}
