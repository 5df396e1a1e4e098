//! Many at once: one wins, whichever process they reach.

use serde_json::json;
use sqlx::PgPool;

use super::browser::{Browser, created};
use super::identities::link_code;
use super::providers::{account, builder, misbehaving, oidc};
use crate::auth::calls::{MANY, race};

#[sqlx::test(migrations = false)]
async fn of_64_callbacks_with_one_state_one_is_heard(pool: PgPool) {
    let issuer = misbehaving("careless");
    let app = builder(pool, vec![oidc("google", &issuer)]).start().await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("google", &account("ann")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let cookies: Vec<String> =
        browser.steal().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = callback.replacen("http://localhost:8000", &app.url(""), 1);
    let sent = (0..MANY).map(|_| app.client.get(&url).header("cookie", cookies.join("; ")).send());
    let mut codes = 0;
    for answer in futures::future::join_all(sent).await {
        codes += usize::from(super::browser::location(&answer.unwrap()).contains("?code="));
    }
    assert_eq!(codes, 1);
    let counts = app.client.get(format!("{issuer}/counts")).send().await.unwrap();
    let counts: serde_json::Value = counts.json().await.unwrap();
    assert_eq!(counts["token"], json!(1), "the provider was asked once");
}

#[sqlx::test(migrations = false)]
async fn of_64_uses_of_a_code_one_signs_in(pool: PgPool) {
    let app = builder(pool, vec![oidc("google", &misbehaving("good"))]).start().await;
    let code = Browser::new(&app).code("google", &account("ann")).await;
    let (client, url) = (app.client.clone(), app.url("/api/auth/oauth/exchange/"));
    let statuses = race(move |_| {
        let request = client.post(&url).json(&json!({ "code": code }));
        async move { request.send().await.unwrap().status().as_u16() }
    })
    .await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(created(&app).await, [1, 1, 1]);
}

#[sqlx::test(migrations = false)]
async fn somebody_new_in_many_tabs_gets_one_account(pool: PgPool) {
    let app = builder(pool, vec![oidc("google", &misbehaving("good"))]).start().await;
    let mut codes = Vec::new();
    for _ in 0..16 {
        codes.push(Browser::new(&app).code("google", &account("ann")).await);
    }
    let url = app.url("/api/auth/oauth/exchange/");
    let sent = codes.iter().map(|code| app.client.post(&url).json(&json!({ "code": code })).send());
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(created(&app).await, [1, 1, 16]);
}

#[sqlx::test(migrations = false)]
async fn an_identity_that_two_accounts_link_at_once_is_one_accounts(pool: PgPool) {
    let app = builder(pool, vec![oidc("google", &misbehaving("good"))]).start().await;
    let mut wishes = Vec::new();
    for name in ["ann", "bob", "eve", "mia"] {
        let person = app.register_active(name).await;
        let code = link_code(&app, &person, "google", &account("elsewhere")).await;
        wishes.push((person, code));
    }
    let url = app.url("/api/auth/identities/");
    let sent = wishes.iter().map(|(person, code)| {
        let request = app.client.post(&url).bearer_auth(&person.access);
        request.json(&json!({ "code": code })).send()
    });
    let mut statuses = Vec::new();
    for answer in futures::future::join_all(sent).await {
        statuses.push(answer.unwrap().status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}
