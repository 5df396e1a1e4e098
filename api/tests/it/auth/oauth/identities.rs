//! Link, list, unlink.

use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::browser::{Browser, created, exchange, refusals, sign_in};
use super::providers::{account, app_with_google, builder, misbehaving, oidc};
use crate::app::TestApp;
use crate::auth::calls::{answer, can_log_in};
use crate::person::Person;

pub const PATH: &str = "/api/auth/identities/";

/// Begins a link, goes to the provider, comes back: the code.
pub async fn link_code(app: &TestApp, person: &Person, provider: &str, who: &Value) -> String {
    let url = begin(app, person, provider).await;
    let mut browser = Browser::new(app);
    let authorize = browser.start_at(&url, who).await;
    let callback = browser.sign_in_there(&authorize).await;
    let (name, code) = browser.come_back(&callback).await;
    assert_eq!(name, "code", "{code}");
    code
}

async fn begin(app: &TestApp, person: &Person, provider: &str) -> String {
    let request = app.as_person(person, Method::POST, "/api/auth/identities/link/");
    let (status, told) = answer(request.json(&json!({"provider": provider}))).await;
    assert_eq!(status, 200, "{told}");
    told["authorize_url"].as_str().unwrap().to_owned()
}

/// Finishes a link.
pub async fn finish(app: &TestApp, person: &Person, code: &str) -> (u16, Value) {
    answer(app.as_person(person, Method::POST, PATH).json(&json!({"code": code}))).await
}

pub async fn list(app: &TestApp, person: &Person) -> Vec<Value> {
    let (_, told) = answer(app.as_person(person, Method::GET, PATH)).await;
    told["identities"].as_array().unwrap().clone()
}

#[sqlx::test(migrations = false)]
async fn a_person_links_lists_and_unlinks(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let ann = app.register_active("ann").await;
    let code = link_code(&app, &ann, "google", &account("elsewhere")).await;
    let (status, told) = finish(&app, &ann, &code).await;
    assert_eq!(status, 201, "{told}");
    let own = list(&app, &ann).await;
    assert_eq!(told["identities"], json!(own));
    assert_eq!(
        (&own[0]["provider"], &own[0]["email"]),
        (&json!("google"), &json!("elsewhere@example.com"))
    );
    assert!(app.mail_to("ann@example.com").await.subject.contains("was added"));
    // It signs in to this account now, whatever its address is.
    let (_, told) = sign_in(&app, "google", &account("elsewhere")).await;
    assert_eq!((&told["user"]["id"], &told["is_new_user"]), (&json!(ann.id), &json!(false)));
    let path = format!("{PATH}{}/", own[0]["id"].as_str().unwrap());
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 204);
    assert_eq!(list(&app, &ann).await, Vec::<Value>::new());
    assert!(app.mail_to("ann@example.com").await.subject.contains("was removed"));
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 404);
    // The identity is free again, and somebody's own.
    let (_, told) = sign_in(&app, "google", &account("elsewhere")).await;
    assert_eq!(told["is_new_user"], json!(true));
    assert!(can_log_in(&app, &ann).await);
}

#[sqlx::test(migrations = false)]
async fn the_last_way_in_stays(pool: PgPool) {
    let providers = vec![oidc("google", &misbehaving("good")), oidc("other", &misbehaving("good"))];
    let app = builder(pool, providers).start().await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let ann = person(&told);
    app.catch_up().await;
    let own = list(&app, &ann).await;
    let path = format!("{PATH}{}/", own[0]["id"].as_str().unwrap());
    let (status, told) = answer(app.as_person(&ann, Method::DELETE, &path)).await;
    assert_eq!((status, &told["code"]), (409, &json!("last_way_in")));
    let code = link_code(&app, &ann, "other", &account("ann")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 204);
    assert_eq!(sign_in(&app, "other", &account("ann")).await.0, 200);
    assert!(refusals(&app).await.contains(&"last_way_in".to_owned()));
}

pub fn person(told: &Value) -> Person {
    Person {
        id: told["user"]["id"].as_i64().unwrap(),
        username: told["user"]["username"].as_str().unwrap().to_owned(),
        email: told["user"]["email"].as_str().unwrap().to_owned(),
        access: told["access"].as_str().unwrap().to_owned(),
        refresh: told["refresh"].as_str().unwrap().to_owned(),
    }
}

#[sqlx::test(migrations = false)]
async fn linking_and_unlinking_ask_for_a_fresh_sign_in(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let ann = app.register_active("ann").await;
    let first = link_code(&app, &ann, "google", &account("elsewhere")).await;
    finish(&app, &ann, &first).await;
    let own = list(&app, &ann).await;
    let path = format!("{PATH}{}/", own[0]["id"].as_str().unwrap());
    app.clock.advance(Lifetime::from_minutes(6));
    let begin = app.as_person(&ann, Method::POST, "/api/auth/identities/link/");
    let begin = begin.json(&json!({"provider": "google"}));
    for request in [begin, app.as_person(&ann, Method::DELETE, &path)] {
        let (status, told) = answer(request).await;
        assert_eq!((status, &told["code"]), (403, &json!("step_up_required")));
    }
    assert_eq!(list(&app, &ann).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_link_is_finished_by_the_session_that_began_it(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (ann, eve) = (app.register_active("ann").await, app.register_active("eve").await);
    // Somebody lured to the attacker's link gives the attacker nothing: the code is in their own browser.
    let code = link_code(&app, &eve, "google", &account("victim")).await;
    assert_eq!(finish(&app, &ann, &code).await.1["code"], json!("oauth_code_invalid"));
    let other_session = app.sign_in("eve").await;
    assert_eq!(finish(&app, &other_session, &code).await.0, 400);
    // A code for linking signs nobody in, and a code for signing in links nothing.
    assert_eq!(exchange(&app, &code).await.0, 400);
    let sign_in_code = Browser::new(&app).code("google", &account("victim")).await;
    assert_eq!(finish(&app, &ann, &sign_in_code).await.0, 400);
    assert_eq!(created(&app).await, [2, 0, 3]);
    assert_eq!(finish(&app, &eve, &code).await.0, 201);
    assert_eq!(finish(&app, &eve, &code).await.0, 400, "once");
}

#[sqlx::test(migrations = false)]
async fn an_identity_is_one_accounts_and_one_of_a_provider_is_enough(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (ann, eve) = (app.register_active("ann").await, app.register_active("eve").await);
    let code = link_code(&app, &ann, "google", &account("elsewhere")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    let code = link_code(&app, &eve, "google", &account("elsewhere")).await;
    assert_eq!(finish(&app, &eve, &code).await.1["code"], json!("identity_taken"));
    let code = link_code(&app, &ann, "google", &account("second")).await;
    assert_eq!(finish(&app, &ann, &code).await.1["code"], json!("identity_known"));
    assert_eq!(created(&app).await[1], 1);
}

#[sqlx::test(migrations = false)]
async fn nobody_sees_or_changes_anothers_identities(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (ann, eve) = (app.register_active("ann").await, app.register_active("eve").await);
    let code = link_code(&app, &ann, "google", &account("elsewhere")).await;
    finish(&app, &ann, &code).await;
    let id = list(&app, &ann).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(list(&app, &eve).await, Vec::<Value>::new());
    for id in [id.as_str(), "nonsense", "7"] {
        let path = format!("{PATH}{id}/");
        assert_eq!(answer(app.as_person(&eve, Method::DELETE, &path)).await.0, 404);
    }
    assert_eq!(list(&app, &ann).await.len(), 1);
    for request in [app.get(PATH), app.post(PATH).json(&json!({"code": "x"}))] {
        assert_eq!(answer(request).await.0, 403, "no token");
    }
}
