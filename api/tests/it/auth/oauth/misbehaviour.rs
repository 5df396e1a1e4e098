//! Everything that a provider, or somebody in its place, can do wrong: each is refused, on record, and creates nothing.

use serde_json::json;
use sqlx::PgPool;

use super::browser::{Browser, created, refusals, sign_in};
use super::providers::{account, app_with_google, builder, misbehaving, oidc};
use crate::app::TestApp;

/// What is done wrong, and what the frontend is told.
const WRONGS: &[(&str, &str)] = &[
    ("wrong-issuer", "oauth_proof_invalid"),
    ("answers-silently", "oauth_proof_invalid"),
    ("answers-as-another", "oauth_proof_invalid"),
    ("missing-nonce", "oauth_proof_invalid"),
    ("wrong-nonce", "oauth_proof_invalid"),
    ("other-client", "oauth_proof_invalid"),
    ("aud-list", "oauth_proof_invalid"),
    ("wrong-azp", "oauth_proof_invalid"),
    ("expired", "oauth_proof_invalid"),
    ("future-iat", "oauth_proof_invalid"),
    ("unknown-key", "oauth_proof_invalid"),
    ("wrong-key", "oauth_proof_invalid"),
    ("public-key-as-secret", "oauth_proof_invalid"),
    ("client-secret-as-key", "oauth_proof_invalid"),
    ("unsigned", "oauth_proof_invalid"),
    ("other-subject", "oauth_proof_invalid"),
    ("no-token", "oauth_proof_invalid"),
    ("denied", "oauth_denied"),
    ("broken", "oauth_provider_unavailable"),
    ("failing", "oauth_provider_unavailable"),
    ("redirecting", "oauth_provider_unavailable"),
    ("huge", "oauth_provider_unavailable"),
    ("slow", "oauth_provider_unavailable"),
];

#[sqlx::test(migrations = false)]
async fn d07_whatever_is_wrong_is_refused_recorded_and_creates_nothing(pool: PgPool) {
    let named = |index: usize| format!("idp-{index}");
    let providers = WRONGS
        .iter()
        .enumerate()
        .map(|(index, (what, _))| oidc(&named(index), &misbehaving(what)))
        .collect();
    let app = builder(pool, providers).start().await;
    for (index, (what, expected)) in WRONGS.iter().enumerate() {
        let told = Browser::new(&app).travel(&named(index), &account("eve")).await;
        assert_eq!(told, ("error".to_owned(), (*expected).to_owned()), "{what}");
        assert_eq!(created(&app).await, [0, 0, 0], "{what}");
    }
    // Repeats of one code within a minute are counted, not listed.
    app.clock.advance(keynest_domain::Lifetime::from_minutes(2));
    app.app.commands.flush_refusals().await.unwrap();
    let counts = counted(&app).await;
    assert_eq!(counts, WRONGS.len() as u64, "each is on record");
}

async fn counted(app: &TestApp) -> u64 {
    let events = app.app.commands.store().read_all(keynest_store::Position::START, 10_000).await;
    let refused = events.unwrap().into_iter().filter(|it| &*it.name == "refusals.access_refused");
    refused
        .map(|it| serde_json::from_slice::<serde_json::Value>(&it.data).unwrap())
        .map(|it| it["count"].as_u64().unwrap())
        .sum()
}

#[sqlx::test(migrations = false)]
async fn an_address_that_the_provider_has_not_verified_registers_nobody(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    for wrong in [json!(false), json!(null)] {
        let mut eve = account("eve");
        eve["email_verified"] = wrong;
        let (status, told) = sign_in(&app, "google", &eve).await;
        assert_eq!((status, &told["code"]), (400, &json!("oauth_address_unverified")));
    }
    // A text is not a flag, whatever it says.
    let mut eve = account("eve");
    eve["email_verified"] = json!("true");
    let (name, told) = Browser::new(&app).travel("google", &eve).await;
    assert_eq!((name.as_str(), told.as_str()), ("error", "oauth_provider_unavailable"));
    assert_eq!(created(&app).await, [0, 0, 0]);
    assert_eq!(refusals(&app).await.len(), 2);
}

#[sqlx::test(migrations = false)]
async fn an_address_that_only_userinfo_tells_counts_in_the_same_way(pool: PgPool) {
    let app = app_with_google(pool, "no-address").await;
    let mut eve = account("eve");
    eve["email_verified"] = json!(false);
    let (status, told) = sign_in(&app, "google", &eve).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_address_unverified")));
    eve["email_verified"] = json!("true");
    let (name, value) = Browser::new(&app).travel("google", &eve).await;
    assert_eq!((name.as_str(), value.as_str()), ("error", "oauth_provider_unavailable"));
    assert_eq!(created(&app).await, [0, 0, 0]);
    assert_eq!(sign_in(&app, "google", &account("ann")).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn a_provider_whose_own_document_is_wrong_is_not_gone_to(pool: PgPool) {
    let wrong = ["other-document", "other-host"];
    let providers = wrong.iter().map(|what| oidc(what, &misbehaving(what))).collect();
    let app = builder(pool, providers).start().await;
    for what in wrong {
        let path = format!("/api/auth/oauth/{what}/start/");
        assert_eq!(app.get(&path).send().await.unwrap().status(), 503, "{what}");
    }
    assert_eq!(refusals(&app).await, ["oauth_provider_unavailable"]);
}

#[sqlx::test(migrations = false)]
async fn newer_keys_are_looked_for_once_a_minute_at_most(pool: PgPool) {
    let issuers = [misbehaving("rotated"), misbehaving("unknown-key")];
    let providers = vec![oidc("rotating", &issuers[0]), oidc("forged", &issuers[1])];
    let app = builder(pool, providers).start().await;
    // Its keys are two minutes old when a token names one that was published since.
    Browser::new(&app).start("rotating", &account("ann")).await;
    app.clock.advance(keynest_domain::Lifetime::from_minutes(2));
    let (status, _) = sign_in(&app, "rotating", &account("ann")).await;
    assert_eq!((status, fetched(&app, &issuers[0]).await), (200, 2));
    for _ in 0..4 {
        let (name, _) = Browser::new(&app).travel("forged", &account("eve")).await;
        assert_eq!(name, "error");
    }
    assert_eq!(fetched(&app, &issuers[1]).await, 1);
}

/// How often a provider was asked for its keys.
async fn fetched(app: &TestApp, issuer: &str) -> u64 {
    let counts = app.client.get(format!("{issuer}/counts")).send().await.unwrap();
    counts.json::<serde_json::Value>().await.unwrap()["jwks"].as_u64().unwrap()
}
