//! What the server says of itself.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::answer;
use crate::app::TestApp;

#[sqlx::test(migrations = false)]
async fn status_names_the_caller_if_there_is_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.catch_up().await;
    let (status, told) = answer(app.get("/api/auth/status/")).await;
    assert_eq!(
        (status, &told["user_info"], &told["user_stats"]),
        (200, &Value::Null, &Value::Null)
    );
    assert_eq!(told["token_config"]["access_token_lifetime_minutes"], 60);
    let (_, told) = answer(app.get("/api/auth/status/").bearer_auth(&ann.access)).await;
    assert_eq!(told["user_info"]["user_id"], ann.id);
    assert_eq!(told["user_stats"]["organization_count"], 1);
}

#[sqlx::test(migrations = false)]
async fn every_endpoint_that_config_names_is_served(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (status, told) = answer(app.get("/api/auth/config/")).await;
    assert_eq!((status, &told["oauth"]), (200, &json!({"enabled": false, "providers": {}})));
    assert_eq!(told["limits"]["file_upload_max_size"], "10MB");
    let endpoints = told["api"]["endpoints"].as_object().unwrap();
    assert!(endpoints.len() >= 24);
    for (name, path) in endpoints {
        let path = path.as_str().unwrap().replace("{id}", "1");
        // A method that no route has: an unknown path is 404, a known one is 405.
        let status = answer(app.request(reqwest::Method::TRACE, &path)).await.0;
        assert_eq!(status, 405, "{name}: {path}");
    }
}

#[sqlx::test(migrations = false)]
async fn the_public_keys_verify_access_tokens(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let response = app.get("/.well-known/jwks.json").send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let told: Value = response.json().await.unwrap();
    let key = &told["keys"][0];
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    assert!(key.get("d").is_none(), "the private part stays here");
    let header = ann.access.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    let claims: Value =
        serde_json::from_slice(&decoded(ann.access.split('.').nth(1).unwrap())).unwrap();
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "sid",
        "username",
        "email",
        "full_name",
        "permissions",
    ] {
        assert!(!claims[name].is_null(), "{name}");
    }
    assert_eq!(claims["token_type"], "access");
}

fn decoded(part: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()
}
