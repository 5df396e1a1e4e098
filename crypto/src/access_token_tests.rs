//! Tests of access tokens: what is minted, and the forgeries of THREATS 1.5.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::Purpose;
use crate::testing::{every_damage, keyring};

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const ISSUER: &str = "https://keynest.example";
const AUDIENCE: &str = "keynest";

async fn tokens() -> AccessTokens {
    AccessTokens::new(keyring().await, ISSUER, AUDIENCE)
}

fn claims() -> AccessClaims {
    AccessClaims {
        user: UserId::new(42),
        session: SessionId::new(uuid::Uuid::from_u128(7)),
        epoch: 3,
        username: "ann".to_owned(),
        email: "ann@example.com".to_owned(),
        full_name: "Ann Lee".to_owned(),
        permissions: vec!["1:admin".to_owned(), "2:viewer".to_owned()],
    }
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

fn header(tokens: &AccessTokens) -> Value {
    let kid = tokens.keyring.service().signing.active_id().to_string();
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid })
}

fn body() -> Value {
    json!({
        "iss": ISSUER, "sub": "42", "aud": AUDIENCE, "exp": NOW.seconds() + 3_600, "iat": NOW.seconds(),
        "jti": "0", "sid": uuid::Uuid::from_u128(7), "username": "ann", "email": "ann@example.com",
        "full_name": "Ann Lee", "permissions": [], "token_type": "access", "epoch": 3
    })
}

/// The value with some members replaced, or removed by `null`.
fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Signed with our own active key: only what is said is wrong.
async fn signed_text(tokens: &AccessTokens, header: &str, body: &str) -> String {
    let vault = tokens.keyring.vault();
    let row = vault.table.find(Purpose::Signing.name()).await.unwrap().unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(&vault.unwrap(&row).unwrap()).unwrap();
    let message = format!("{}.{}", encoded(header), encoded(body));
    format!("{message}.{}", encoded(pair.sign(message.as_bytes())))
}

async fn signed(tokens: &AccessTokens, header: Value, body: Value) -> String {
    signed_text(tokens, &header.to_string(), &body.to_string()).await
}

#[tokio::test]
async fn a_minted_token_says_who_and_until_when() {
    let tokens = tokens().await;
    let text = tokens.mint(&claims(), NOW).unwrap();
    let token = tokens.verify(text.expose_secret(), NOW).unwrap();
    assert!(token.claims == claims());
    assert_eq!((token.issued_at, token.expires_at), (NOW, after(3_600)));
    assert_eq!(token.id.len(), 32);
    assert!(!format!("{token:?} {text:?}").contains("ann"));
    let again = tokens.mint(&claims(), NOW).unwrap();
    assert_ne!(tokens.verify(again.expose_secret(), NOW).unwrap().id, token.id);
}

#[tokio::test]
async fn a_token_is_good_for_as_long_as_the_operator_says_and_60_minutes_at_most() {
    let tokens = tokens().await.with_lifetime(Lifetime::from_minutes(5));
    let text = tokens.mint(&claims(), NOW).unwrap();
    assert!(tokens.verify(text.expose_secret(), after(299)).is_ok());
    assert_eq!(tokens.verify(text.expose_secret(), after(300)), Err(AccessTokenError::Expired));
    let tokens = tokens.with_lifetime(Lifetime::from_hours(2));
    let text = tokens.mint(&claims(), NOW).unwrap();
    assert_eq!(tokens.verify(text.expose_secret(), NOW).unwrap().expires_at, after(3_600));
}

#[tokio::test]
async fn a_token_is_good_for_60_minutes_also_after_a_rotation() {
    let tokens = tokens().await;
    let text = tokens.mint(&claims(), NOW).unwrap();
    tokens.keyring.rotate(Purpose::Signing).await.unwrap();
    assert!(tokens.verify(text.expose_secret(), after(3_599)).is_ok());
    assert_eq!(tokens.verify(text.expose_secret(), after(3_600)), Err(AccessTokenError::Expired));
    assert!(tokens.verify(text.expose_secret(), after(-LEEWAY_SECS)).is_ok());
    let early = tokens.verify(text.expose_secret(), after(-LEEWAY_SECS - 1));
    assert_eq!(early, Err(AccessTokenError::NotYetValid));
}

/// The signature of the same text is not checked again; everything that can change is.
#[tokio::test]
async fn a_token_that_was_checked_before_still_needs_its_time_its_key_and_every_byte() {
    let tokens = tokens().await;
    let text = tokens.mint(&claims(), NOW).unwrap();
    let text = text.expose_secret();
    assert!(tokens.verify(text, NOW).is_ok() && tokens.clone().verify(text, NOW).is_ok());
    assert_eq!(tokens.verify(text, after(3_600)), Err(AccessTokenError::Expired));
    for damaged in every_damage(text) {
        assert!(tokens.verify(&damaged, NOW).is_err());
    }
    assert!(tokens.verify(text, NOW).is_ok());
    tokens.keyring.renew_service_keys().await.unwrap();
    assert_eq!(tokens.verify(text, NOW), Err(AccessTokenError::UnknownKey));
}

#[tokio::test]
async fn the_key_set_has_what_verifies_and_nothing_private() {
    let tokens = tokens().await;
    tokens.keyring.rotate(Purpose::Signing).await.unwrap();
    let set = tokens.jwks();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
        assert!(key.get("d").is_none());
        assert_eq!(URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().len(), 32);
    }
    let kid = header(&tokens)["kid"].clone();
    assert!(keys.iter().any(|key| key["kid"] == kid));
}

#[tokio::test]
async fn the_longest_names_fit_and_permissions_give_way() {
    let tokens = tokens().await;
    let longest = AccessClaims {
        username: "a".repeat(150),
        email: "e".repeat(254),
        full_name: "🔑".repeat(301),
        permissions: vec!["9007199254740991:viewer".to_owned(); 1_000],
        ..claims()
    };
    let text = tokens.mint(&longest, NOW).unwrap();
    assert!(text.expose_secret().len() <= ACCESS_TOKEN_BYTES_MAX);
    let said = tokens.verify(text.expose_secret(), NOW).unwrap().claims;
    assert!(said.full_name == longest.full_name && !said.permissions.is_empty());
    let usual = AccessClaims { permissions: longest.permissions.clone(), ..claims() };
    let text = tokens.mint(&usual, NOW).unwrap();
    let said = tokens.verify(text.expose_secret(), NOW).unwrap().claims.permissions;
    assert!(serde_json::to_string(&said).unwrap().len() <= PERMISSIONS_BYTES_MAX + 2);
    assert!(said.len() > 70);
    let absurd = AccessClaims { full_name: "x".repeat(5_000), ..claims() };
    assert!(matches!(tokens.mint(&absurd, NOW), Err(AccessTokenError::TooLong)));
}

#[tokio::test]
async fn the_forger_of_these_tests_can_make_a_good_token() {
    let tokens = tokens().await;
    let text = signed(&tokens, header(&tokens), body()).await;
    assert!(tokens.verify(&text, NOW).is_ok());
}

#[tokio::test]
async fn tokens_of_another_algorithm_or_key_are_refused() {
    let tokens = tokens().await;
    let good = header(&tokens);
    for alg in ["none", "None", "NONE", "nOnE", "HS256", "RS256", "eddsa", "Ed25519", "ES256"] {
        let text = signed(&tokens, with(good.clone(), json!({ "alg": alg })), body()).await;
        assert_eq!(tokens.verify(&text, NOW), Err(AccessTokenError::WrongHeader), "{alg}");
        let unsigned = text.rsplit_once('.').unwrap().0;
        assert!(tokens.verify(&format!("{unsigned}."), NOW).is_err(), "{alg}");
    }
    let service = tokens.keyring.service();
    let public = &service.signing.active().public;
    let message = format!(
        "{}.{}",
        encoded(with(good.clone(), json!({ "alg": "HS256" })).to_string()),
        encoded(body().to_string())
    );
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), message.as_bytes());
    let confused = format!("{message}.{}", encoded(code));
    assert_eq!(tokens.verify(&confused, NOW), Err(AccessTokenError::WrongHeader));
    let message = format!("{}.{}", encoded(good.to_string()), encoded(body().to_string()));
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), message.as_bytes());
    let foreign = Ed25519KeyPair::generate().unwrap();
    for signature in [encoded(code), encoded(foreign.sign(message.as_bytes())), encoded([0; 64])] {
        let text = format!("{message}.{signature}");
        assert_eq!(tokens.verify(&text, NOW), Err(AccessTokenError::Forged));
    }
}

#[tokio::test]
async fn headers_that_say_anything_else_are_refused() {
    let tokens = tokens().await;
    let good = header(&tokens);
    let kid = good["kid"].as_str().unwrap().to_owned();
    for change in [
        json!({ "typ": null }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "AT+JWT" }),
        json!({ "typ": "application/at+jwt" }),
        json!({ "jku": "https://evil.example/jwks.json" }),
        json!({ "x5u": "https://evil.example/x" }),
        json!({ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": "AAAA" } }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "zip": "DEF" }),
        json!({ "kid": null }),
        json!({ "kid": ["a"] }),
        json!({ "kid": "x".repeat(1_000) }),
    ] {
        let text = signed(&tokens, with(good.clone(), change.clone()), body()).await;
        assert_eq!(tokens.verify(&text, NOW), Err(AccessTokenError::WrongHeader), "{change}");
    }
    for other in [
        "../../../etc/passwd",
        "' or 1=1 --",
        "",
        "root",
        &kid.to_uppercase(),
        &kid.replace('-', ""),
    ] {
        let text = signed(&tokens, with(good.clone(), json!({ "kid": other })), body()).await;
        assert_eq!(tokens.verify(&text, NOW), Err(AccessTokenError::UnknownKey), "{other}");
    }
    let twice = good.to_string().replacen('{', "{\"alg\":\"none\",", 1);
    let text = signed_text(&tokens, &twice, &body().to_string()).await;
    assert_eq!(tokens.verify(&text, NOW), Err(AccessTokenError::WrongHeader));
}

#[tokio::test]
async fn claims_for_others_or_for_another_time_are_refused() {
    use AccessTokenError::{Expired, Forged, Malformed, NotYetValid, WrongType};
    let tokens = tokens().await;
    let now = NOW.seconds();
    for (change, reason) in [
        (json!({ "iss": "https://evil.example" }), Forged),
        (json!({ "iss": format!("{ISSUER}/") }), Forged),
        (json!({ "iss": [ISSUER] }), Forged),
        (json!({ "aud": "other" }), Forged),
        (json!({ "aud": ["other", AUDIENCE] }), Forged),
        (json!({ "token_type": "refresh" }), WrongType),
        (json!({ "token_type": "id" }), WrongType),
        (json!({ "token_type": null }), Forged),
        (json!({ "exp": now }), Expired),
        (json!({ "exp": now - 1 }), Expired),
        (json!({ "exp": 0 }), Expired),
        (json!({ "exp": null }), Forged),
        (json!({ "exp": "2100000000" }), Forged),
        (json!({ "exp": 1e300 }), Forged),
        (json!({ "exp": i64::MAX }), NotYetValid),
        (json!({ "iat": i64::MIN }), NotYetValid),
        (json!({ "iat": now + LEEWAY_SECS + 1 }), NotYetValid),
        (json!({ "nbf": now + LEEWAY_SECS + 1 }), NotYetValid),
        (json!({ "nbf": "tomorrow" }), Forged),
        (json!({ "sub": null }), Forged),
        (json!({ "sub": "ann" }), Malformed),
        (json!({ "sub": "+42" }), Malformed),
        (json!({ "sub": "042" }), Malformed),
        (json!({ "sub": 42 }), Forged),
        (json!({ "sid": null }), Forged),
        (json!({ "sid": "x" }), Forged),
        (json!({ "jti": null }), Forged),
        (json!({ "iat": null }), Forged),
        (json!({ "epoch": null }), Forged),
        (json!({ "epoch": -1 }), Forged),
    ] {
        let text = signed(&tokens, header(&tokens), with(body(), change.clone())).await;
        assert_eq!(tokens.verify(&text, NOW), Err(reason), "{change}");
    }
    let twice = body().to_string().replacen('{', "{\"sub\":\"1\",", 1);
    let text = signed_text(&tokens, &header(&tokens).to_string(), &twice).await;
    assert!(tokens.verify(&text, NOW).is_err());
}

#[tokio::test]
async fn other_forms_and_damaged_tokens_are_refused() {
    let tokens = tokens().await;
    let text = tokens.mint(&claims(), NOW).unwrap();
    let text = text.expose_secret();
    let [header, body, signature]: [&str; 3] =
        text.split('.').collect::<Vec<_>>().try_into().unwrap();
    let flattened = json!({ "protected": header, "payload": body, "signature": signature });
    for other in [
        flattened.to_string(),
        format!("{text}.{signature}"),
        format!("{header}.{body}."),
        format!("{header}.{body}"),
        format!("{header}..{signature}"),
        format!(".{body}.{signature}"),
        format!("Bearer {text}"),
        "..".to_owned(),
        ".".repeat(4_000),
        format!("{text}{}", "A".repeat(ACCESS_TOKEN_BYTES_MAX)),
    ] {
        assert!(tokens.verify(&other, NOW).is_err(), "{other}");
    }
    for damaged in every_damage(text) {
        assert!(tokens.verify(&damaged, NOW).is_err(), "{damaged}");
    }
    let elsewhere = self::tokens().await;
    assert_eq!(elsewhere.verify(text, NOW), Err(AccessTokenError::UnknownKey));
}
