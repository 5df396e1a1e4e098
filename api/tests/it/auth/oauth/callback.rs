//! Ways back that are not the one that was begun in this browser (THREATS A12).

use serde_json::json;
use sqlx::PgPool;

use super::browser::{Browser, created, refusals};
use super::providers::{account, builder, misbehaving, oidc};
use crate::app::TestApp;

const INVALID: (&str, &str) = ("error", "oauth_state_invalid");

async fn app(pool: PgPool) -> TestApp {
    let providers =
        vec![oidc("google", &misbehaving("careless")), oidc("other", &misbehaving("careless"))];
    builder(pool, providers).start().await
}

fn told(told: &(String, String)) -> (&str, &str) {
    (&told.0, &told.1)
}

#[sqlx::test(migrations = false)]
async fn an_answer_without_a_state_or_with_another_is_not_heard(pool: PgPool) {
    let app = app(pool).await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("google", &account("eve")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let cookies = browser.steal();
    let without = callback.split("state=").next().unwrap().trim_end_matches('&').to_owned();
    let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let path = callback.split('?').next().unwrap();
    for wrong in [
        without,
        format!("{path}?code={code}&state=another"),
        path.to_owned(),
        format!("{callback}&state=twice"),
    ] {
        browser.plant(cookies.clone());
        assert_eq!(told(&browser.come_back(&wrong).await), INVALID, "{wrong}");
    }
    assert_eq!(created(&app).await, [0, 0, 0]);
    assert_eq!(refusals(&app).await, ["oauth_state_invalid"]);
}

#[sqlx::test(migrations = false)]
async fn another_browsers_answer_is_not_heard(pool: PgPool) {
    let app = app(pool).await;
    // The attacker signs in at the provider, and gives the way back to the victim.
    let mut attacker = Browser::new(&app);
    let authorize = attacker.start("google", &account("eve")).await;
    let callback = attacker.sign_in_there(&authorize).await;
    assert_eq!(told(&Browser::new(&app).come_back(&callback).await), INVALID);
    let mut victim = Browser::new(&app);
    victim.start("google", &account("ann")).await;
    assert_eq!(told(&victim.come_back(&callback).await), INVALID);
    // The attacker's code beside the victim's own state.
    let mut victim = Browser::new(&app);
    let authorize = victim.start("google", &account("ann")).await;
    let own = victim.sign_in_there(&authorize).await;
    let code = |url: &str| url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let injected = own.replace(&code(&own), &code(&callback));
    let (name, value) = victim.come_back(&injected).await;
    assert_eq!((name.as_str(), value.as_str()), ("error", "oauth_proof_invalid"));
    assert_eq!(created(&app).await, [0, 0, 0]);
}

#[sqlx::test(migrations = false)]
async fn a_state_is_heard_once(pool: PgPool) {
    let app = app(pool).await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("google", &account("ann")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let cookies = browser.steal();
    assert_eq!(browser.come_back(&callback).await.0, "code");
    // The provider would take its code again; we do not ask it.
    assert_eq!(told(&browser.come_back(&callback).await), INVALID, "the cookie is gone");
    browser.plant(cookies);
    assert_eq!(told(&browser.come_back(&callback).await), INVALID, "the state is used");
}

#[sqlx::test(migrations = false)]
async fn one_providers_answer_is_not_anothers(pool: PgPool) {
    let app = app(pool).await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("google", &account("eve")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let moved = callback.replace("/google/", "/other/");
    assert_eq!(told(&browser.come_back(&moved).await), INVALID);
    let (_, missing) =
        Browser::new(&app).come_back(&callback.replace("/google/", "/nobody/")).await;
    assert_eq!(missing, "oauth_provider_unknown");
    assert_eq!(created(&app).await, [0, 0, 0]);
}

#[sqlx::test(migrations = false)]
async fn a_trip_takes_ten_minutes_at_most(pool: PgPool) {
    let app = app(pool).await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("google", &account("ann")).await;
    let callback = browser.sign_in_there(&authorize).await;
    app.clock.advance(keynest_domain::Lifetime::from_minutes(10));
    assert_eq!(told(&browser.come_back(&callback).await), INVALID);
}

#[sqlx::test(migrations = false)]
async fn a_start_with_a_bad_wish_begins_nothing(pool: PgPool) {
    let app = app(pool).await;
    for (query, code) in
        [("challenge=short", "validation"), ("ticket=forged", "oauth_state_invalid")]
    {
        let path = format!("/api/auth/oauth/google/start/?{query}");
        let answer = app.get(&path).send().await.unwrap();
        assert!(answer.headers().get("set-cookie").is_none());
        let told: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((&told["status"], &told["code"]), (&json!(400), &json!(code)));
    }
}
