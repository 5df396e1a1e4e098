//! A forgotten password.

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{
    MANY, answer, log_in, logged, mailed_link, post, profile_status, race, refresh,
};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

const ASK: &str = "/api/auth/password-reset/";
const CONFIRM: &str = "/api/auth/password-reset-confirm/";
const NEW: &str = "four quiet words here";

fn wish((uid, token): &(String, String), new: &str) -> Value {
    json!({"uid": uid, "token": token, "new_password": new, "confirm_password": new})
}

#[sqlx::test(migrations = false)]
async fn d09_a_reset_ends_every_session_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    assert_eq!(post(&app, ASK, json!({"email": ann.email})).await.0, 200);
    let link = mailed_link(&app, &ann.email).await;
    assert_eq!(post(&app, CONFIRM, wish(&link, NEW)).await.0, 200);
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    assert_eq!(refresh(&app, &ann.refresh).await.0, 400);
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 400);
    assert_eq!(log_in(&app, &ann.email, NEW).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn d13_an_activation_link_resets_no_password_and_a_reset_link_lives_for_30_minutes(
    pool: PgPool,
) {
    let app = TestApp::start(pool).await;
    post(&app, "/api/auth/register/", registration("ann")).await;
    let activation = mailed_link(&app, "ann@example.com").await;
    let (uid, token) = &activation;
    assert_eq!(post(&app, "/api/auth/activate/", json!({"uid": uid, "token": token})).await.0, 200);
    let (status, told) = post(&app, CONFIRM, wish(&activation, NEW)).await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_link")));
    post(&app, ASK, json!({"email": "ann@example.com"})).await;
    let reset = mailed_link(&app, "ann@example.com").await;
    app.clock.advance(Lifetime::from_minutes(30));
    let (status, told) = post(&app, CONFIRM, wish(&reset, NEW)).await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_link")));
    assert!(told["error"].as_str().unwrap().contains("expired"));
}

#[sqlx::test(migrations = false)]
async fn of_64_uses_of_a_reset_link_one_wins(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    post(&app, ASK, json!({"email": ann.email})).await;
    let link = mailed_link(&app, &ann.email).await;
    let (client, url) = (app.client.clone(), app.url(CONFIRM));
    let statuses = race(move |n| {
        let request = client.post(&url).json(&wish(&link, &format!("{NEW} {n}")));
        async move { answer(request).await.0 }
    })
    .await;
    assert_eq!((statuses[0], statuses[1], statuses[MANY - 1]), (200, 400, 400), "{statuses:?}");
    assert_eq!(logged(&app, "user.password_reset").await, 1);
}

#[sqlx::test(migrations = false)]
async fn a_refused_password_is_told_as_an_object_and_does_not_use_up_the_link(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("annabella").await;
    post(&app, ASK, json!({"email": ann.email})).await;
    let link = mailed_link(&app, &ann.email).await;
    for bad in ["short", "12345678901", "annabella1", "password123"] {
        let (status, told) = post(&app, CONFIRM, wish(&link, bad)).await;
        assert_eq!(status, 400, "{bad}");
        assert!(told["details"]["new_password"][0].is_string(), "{bad}: {told}");
    }
    let mut body = wish(&link, NEW);
    body["confirm_password"] = json!("something else");
    let (status, told) = post(&app, CONFIRM, body).await;
    assert_eq!(status, 400);
    assert!(told["details"]["confirm_password"][0].is_string());
    assert_eq!(post(&app, CONFIRM, wish(&link, NEW)).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn only_active_accounts_get_a_link(pool: PgPool) {
    let app = TestApp::start(pool).await;
    post(&app, "/api/auth/register/", registration("waiting")).await;
    for email in ["waiting@example.com", "nobody@example.com"] {
        assert_eq!(post(&app, ASK, json!({"email": email})).await.0, 200);
    }
    assert_eq!(logged(&app, "user.password_reset_requested").await, 0);
    assert_eq!(post(&app, ASK, json!({"email": "no address"})).await.0, 400);
}
