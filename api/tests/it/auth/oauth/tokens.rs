//! What a client got from the provider itself: it counts only if it was issued to this application.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::browser::{Browser, created, refusals};
use super::providers::{
    CLIENT, account, app_with_google, builder, github, github_account, hint, like_github,
    misbehaving, oidc,
};
use crate::app::TestApp;
use crate::auth::calls::answer;

async fn post(app: &TestApp, provider: &str, body: Value) -> (u16, Value) {
    answer(app.post(&format!("/api/auth/oauth/{provider}/")).json(&body)).await
}

/// An access token as the test provider makes them.
fn access_token(aud: &str, azp: Value) -> String {
    hint(&json!({"account": account("ann"), "aud": aud, "azp": azp}))
}

#[sqlx::test(migrations = false)]
async fn d07_an_access_token_of_another_application_is_worth_nothing(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let others = [
        access_token("another-application", Value::Null),
        access_token("another-application", json!(CLIENT)),
        access_token(CLIENT, json!("another-application")),
        hint(&json!({})),
    ];
    for token in others {
        let (status, told) = post(&app, "google", json!({"access_token": token})).await;
        assert_eq!((status, &told["code"]), (400, &json!("oauth_proof_invalid")));
    }
    assert_eq!(created(&app).await, [0, 0, 0]);
    let ours = json!({"access_token": access_token(CLIENT, Value::Null), "provider": "google"});
    let (status, told) = post(&app, "google", ours).await;
    assert_eq!((status, &told["is_new_user"]), (200, &json!(true)));
    assert_eq!(told["tokens"]["refresh"], told["refresh"]);
}

#[sqlx::test(migrations = false)]
async fn d07_github_is_asked_whose_token_it_is(pool: PgPool) {
    let app = builder(pool, vec![like_github(&github("confused"))]).start().await;
    let token = |app: &str| hint(&json!({"user": github_account("octo", 7), "app": app}));
    let (status, told) = post(&app, "github", json!({"access_token": token("another")})).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_proof_invalid")));
    let (status, told) = post(&app, "github", json!({"id_token": "a.b.c"})).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_proof_invalid")));
    assert_eq!(created(&app).await, [0, 0, 0]);
    let (status, told) = post(&app, "github", json!({"access_token": token(CLIENT)})).await;
    assert_eq!(status, 200, "{told}");
}

/// An ID token of a provider that does one thing wrong.
async fn id_token(app: &TestApp, issuer: &str) -> String {
    let query = format!(
        "client_id={CLIENT}&login_hint={}&redirect_uri=http://localhost/&state=s&nonce=n\
         &code_challenge_method=S256&code_challenge={}",
        hint(&account("ann")),
        keynest_api::oauth::challenge_of("v")
    );
    let back = app.client.get(format!("{issuer}/authorize?{query}")).send().await.unwrap();
    let back = reqwest::Url::parse(&super::browser::location(&back)).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = format!("code={code}&code_verifier=v");
    let answer = app.client.post(format!("{issuer}/token")).body(form).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["id_token"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrations = false)]
async fn an_id_token_signs_in_once(pool: PgPool) {
    let issuer = misbehaving("good");
    let app = builder(pool, vec![oidc("google", &issuer)]).start().await;
    let token = id_token(&app, &issuer).await;
    let (status, told) = post(&app, "google", json!({"id_token": token})).await;
    assert_eq!(status, 200, "{told}");
    let (status, told) = post(&app, "google", json!({"id_token": token})).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_code_invalid")));
    assert_eq!(created(&app).await, [1, 1, 1]);
}

/// An app whose Google does one thing wrong, and what it says to an ID token of its own.
async fn told_of_own(pool: PgPool, what: &str) -> (u16, Value) {
    let issuer = misbehaving(what);
    let app = builder(pool, vec![oidc("google", &issuer)]).start().await;
    let token = id_token(&app, &issuer).await;
    let told = post(&app, "google", json!({"id_token": token})).await;
    assert_eq!(created(&app).await, [0, 0, 0]);
    told
}

macro_rules! refused_id_tokens {
    ($($test:ident: $what:literal,)+) => {$(
        #[sqlx::test(migrations = false)]
        async fn $test(pool: PgPool) {
            let (status, told) = told_of_own(pool, $what).await;
            assert_eq!((status, &told["code"]), (400, &json!("oauth_proof_invalid")));
        }
    )+};
}

refused_id_tokens! {
    an_id_token_of_another_application_is_refused: "other-client",
    an_id_token_that_has_expired_is_refused: "expired",
    an_id_token_signed_with_the_secret_is_refused: "client-secret-as-key",
    an_id_token_signed_by_nobody_is_refused: "unsigned",
}

#[sqlx::test(migrations = false)]
async fn what_is_no_id_token_of_this_provider_is_refused(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let anothers = id_token(&app, &misbehaving("good")).await;
    for token in ["", "a", "a.b.c", "..", &anothers, &"a".repeat(20_000)] {
        assert_eq!(post(&app, "google", json!({"id_token": token})).await.0, 400);
    }
    assert_eq!(created(&app).await, [0, 0, 0]);
}

#[sqlx::test(migrations = false)]
async fn a_code_of_the_callback_is_taken_here_too_for_its_own_provider(pool: PgPool) {
    let providers = vec![oidc("google", &misbehaving("good")), like_github(&github("good"))];
    let app = builder(pool, providers).start().await;
    let code = Browser::new(&app).code("google", &account("ann")).await;
    assert_eq!(post(&app, "github", json!({"code": code})).await.0, 400);
    assert_eq!(post(&app, "google", json!({"code": code})).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn what_is_not_one_of_the_three_is_told_so(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    for body in [json!({}), json!({"access_token": "a", "code": "b"}), json!({"code": "forged"})] {
        assert_eq!(post(&app, "google", body).await.0, 400);
    }
    let (status, told) = post(&app, "github", json!({"access_token": "a"})).await;
    assert_eq!((status, &told["code"]), (404, &json!("oauth_provider_unknown")), "switched off");
    assert_eq!(
        refusals(&app).await,
        ["validation", "oauth_code_invalid", "oauth_provider_unknown"]
    );
}
