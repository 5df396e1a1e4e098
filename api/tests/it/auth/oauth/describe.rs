//! What frontends are told of the providers.

use keynest_api::oauth::{ProviderKind, ProviderSettings};
use serde_json::json;
use sqlx::PgPool;

use super::providers::{builder, github, like_github, misbehaving, oidc};
use crate::auth::calls::answer;

#[sqlx::test(migrations = false)]
async fn d06_config_and_status_list_what_is_really_on(pool: PgPool) {
    let bad = |name: &str, issuer: &str, id: &str| {
        let settings = oidc(name, issuer);
        ProviderSettings { client_id: id.to_owned(), ..settings }
    };
    let providers = vec![
        oidc("google", &misbehaving("good")),
        like_github(&github("good")),
        bad("blank", "https://login.example", ""),
        bad("plain", "http://login.example", "id"),
        bad("nonsense", "login.example", "id"),
        bad("named", "https://me@login.example", "id"),
        ProviderSettings {
            kind: ProviderKind::GitHub { web: "http://github.example".into(), api: String::new() },
            ..oidc("hub", "https://login.example")
        },
    ];
    let app = builder(pool, providers).start().await;
    let (_, config) = answer(app.get("/api/auth/config/")).await;
    let oauth = &config["oauth"];
    assert_eq!(oauth["enabled"], json!(true));
    assert_eq!(oauth["providers"].as_object().unwrap().len(), 2, "bad ones are off: {oauth}");
    assert_eq!(
        oauth["providers"]["github"],
        json!({
            "name": "GitHub", "client_id": "keynest-test", "scopes": ["user:email"],
            "endpoint": "/api/auth/oauth/github/",
            "start_url": "http://localhost:8000/api/auth/oauth/github/start/",
            "redirect_uri": "http://localhost:8000/api/auth/oauth/github/callback/",
        })
    );
    assert!(!config.to_string().contains("a secret of the tests"));
    let (_, status) = answer(app.get("/api/auth/status/")).await;
    assert_eq!(status["features"]["oauth_providers"], json!(["github", "google"]));
    assert_eq!(status["api_endpoints"]["oauth"]["google"], json!("/api/auth/oauth/google/"));
    for name in ["blank", "plain", "nonsense", "named", "hub"] {
        let answer = app.get(&format!("/api/auth/oauth/{name}/start/")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{name}");
    }
}

#[sqlx::test(migrations = false)]
async fn nothing_is_on_without_configuration(pool: PgPool) {
    let app = crate::app::TestApp::start(pool).await;
    let (_, config) = answer(app.get("/api/auth/config/")).await;
    assert_eq!(config["oauth"], json!({"enabled": false, "providers": {}}));
}
