//! THREATS 1.5 and A1, A2: forged access tokens over HTTP. Each meets the same refusal, byte for byte but for the request's
//! own id. What only the holder of the signing key could forge is tried beside the code, in `keynest-crypto`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_crypto::AccessTokens;
use keynest_domain::Lifetime;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{answer, profile_status};
use crate::app::TestApp;
use crate::person::Person;

/// A good token in parts.
struct Good {
    header: Value,
    claims: Value,
    signature: String,
}

impl Good {
    fn of(person: &Person) -> Self {
        let parts: Vec<&str> = person.access.split('.').collect();
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap());
        Self {
            header: json(parts[0]).unwrap(),
            claims: json(parts[1]).unwrap(),
            signature: parts[2].to_owned(),
        }
    }

    /// With members of header and claims replaced, or removed by null; the signature stays.
    fn with(&self, header: Value, claims: Value) -> String {
        let message = [changed(&self.header, header), changed(&self.claims, claims)]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{}.{}", message.join("."), self.signature)
    }
}

fn changed(value: &Value, changes: Value) -> Value {
    let mut value = value.clone();
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            drop(value.as_object_mut().unwrap().remove(name));
        } else {
            value[name] = change.clone();
        }
    }
    value
}

/// The same without its signature.
fn unsigned(token: &str) -> String {
    format!("{}.", token.rsplit_once('.').unwrap().0)
}

#[sqlx::test(migrations = false)]
async fn a01_24_forged_tokens_are_refused_alike(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let good = Good::of(&ann);
    assert_eq!(good.with(json!({}), json!({})).len(), ann.access.len());
    let alg = |alg: &str| good.with(json!({"alg": alg}), json!({}));
    let head = |changes: Value| good.with(changes, json!({}));
    let says = |changes: Value| good.with(json!({}), changes);
    let now = app.clock.now().seconds();
    let claims = app.app.tokens.verify(&ann.access, app.clock.now()).unwrap().claims;
    let site = &app.app.settings.public_url;
    let keyring = app.app.commands.keyring();
    // Signed with the real key.
    let mint = |issuer: &str, audience: &str, at| {
        let tokens = AccessTokens::new(keyring.clone(), issuer, audience);
        tokens.mint(&claims, at).unwrap().expose_secret().to_owned()
    };
    let (header, rest) = ann.access.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let forged = [
        ("none", unsigned(&alg("none"))),
        ("None", unsigned(&alg("None"))),
        ("NONE", unsigned(&alg("NONE"))),
        ("nOnE", unsigned(&alg("nOnE"))),
        ("hs256-with-pubkey", alg("HS256")),
        ("rs256-selfsigned-jwk", head(json!({"alg": "RS256", "jwk": {"kty": "RSA"}}))),
        ("jku-evil", head(json!({"jku": "https://evil.test/jwks.json"}))),
        ("x5u-evil", head(json!({"x5u": "https://evil.test/cert.pem"}))),
        ("kid-path-traversal", head(json!({"kid": "../../../../dev/null"}))),
        ("kid-sql", head(json!({"kid": "x' or '1'='1"}))),
        ("no-typ", head(json!({"typ": null}))),
        ("typ-jwt", head(json!({"typ": "JWT"}))),
        ("id-token", says(json!({"token_type": "id", "nonce": "n"}))),
        ("refresh-as-access", ann.refresh.clone()),
        ("other-aud", mint(site, "another", app.clock.now())),
        ("other-iss", mint("https://evil.test", "keynest", app.clock.now())),
        ("exp-past", mint(site, "keynest", app.clock.now() - Lifetime::from_hours(1))),
        ("nbf-future", says(json!({"nbf": now + 3_600}))),
        ("iat-future", mint(site, "keynest", app.clock.now() + Lifetime::from_hours(1))),
        ("no-exp", says(json!({"exp": null}))),
        (
            "json-serialisation",
            json!({"protected": header, "payload": body, "signature": signature}).to_string(),
        ),
        ("four-parts", format!("{}.{signature}", ann.access)),
        ("empty-sig", unsigned(&ann.access)),
        ("truncated-sig", ann.access[..ann.access.len() - 4].to_owned()),
    ];
    assert_eq!(forged.len(), 24);
    assert_eq!(mint(site, "keynest", app.clock.now()).split('.').count(), 3);
    let mut bodies = Vec::new();
    for (name, token) in &forged {
        let (status, mut told) = answer(app.get("/api/auth/profile/").bearer_auth(token)).await;
        assert_eq!(status, 401, "{name}: {told}");
        told.as_object_mut().unwrap().remove("request_id");
        bodies.push((name, told));
    }
    for (name, body) in &bodies {
        assert_eq!(body, &bodies[0].1, "{name}");
    }
    // The forger of this test can make a good one, so it is the forgery that is refused.
    assert_eq!(profile_status(&app, &mint(site, "keynest", app.clock.now())).await, 200);
    assert_eq!(profile_status(&app, &ann.access).await, 200);
}
