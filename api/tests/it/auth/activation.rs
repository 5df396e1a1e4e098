//! Activation.

use keynest_domain::Lifetime;
use serde_json::json;
use sqlx::PgPool;

use super::calls::{MANY, answer, log_in, logged, mailed_link, post, race};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

const PATH: &str = "/api/auth/activate/";
const RESEND: &str = "/api/auth/activation/resend/";
const ANN: &str = "ann@example.com";

async fn registered(pool: PgPool) -> TestApp {
    let app = TestApp::start(pool).await;
    assert_eq!(post(&app, "/api/auth/register/", registration("ann")).await.0, 201);
    app
}

#[sqlx::test(migrations = false)]
async fn of_64_uses_of_a_link_one_activates_and_none_fails(pool: PgPool) {
    let app = registered(pool).await;
    let (uid, token) = mailed_link(&app, ANN).await;
    let (client, url) = (app.client.clone(), app.url(PATH));
    let statuses = race(move |_| {
        let request = client.post(&url).json(&json!({"uid": uid, "token": token}));
        async move { answer(request).await.0 }
    });
    assert_eq!(statuses.await, [200; MANY]);
    assert_eq!(logged(&app, "user.activated").await, 1);
    assert_eq!(log_in(&app, ANN, PASSWORD).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn d13_an_activation_link_lives_for_a_day(pool: PgPool) {
    let app = registered(pool).await;
    let (uid, token) = mailed_link(&app, ANN).await;
    app.clock.advance(Lifetime::from_hours(24));
    let (status, told) = post(&app, PATH, json!({"uid": uid, "token": token})).await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_link")));
    assert!(told["error"].as_str().unwrap().contains("expired"), "the frontend looks for the word");
}

#[sqlx::test(migrations = false)]
async fn a_newer_link_kills_the_older_one(pool: PgPool) {
    let app = registered(pool).await;
    let (uid, old) = mailed_link(&app, ANN).await;
    assert_eq!(post(&app, RESEND, json!({"email": ANN})).await.0, 200);
    let (_, new) = mailed_link(&app, ANN).await;
    assert_eq!(post(&app, PATH, json!({"uid": uid, "token": old})).await.0, 400);
    assert_eq!(post(&app, PATH, json!({"uid": uid, "token": new})).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn no_other_link_activates(pool: PgPool) {
    let app = registered(pool).await;
    let (uid, token) = mailed_link(&app, ANN).await;
    let bob = app.register_active("bob").await;
    for (uid, token) in [
        (bob.id.to_string(), token.clone()),
        (uid.clone(), format!("{token}A")),
        (uid.clone(), String::new()),
        ("nobody".to_owned(), token.clone()),
        ("9223372036854775808".to_owned(), token.clone()),
    ] {
        let (status, told) = post(&app, PATH, json!({"uid": uid, "token": token})).await;
        assert_eq!((status, &told["code"]), (400, &json!("invalid_link")), "{uid}");
    }
    let (status, told) = post(&app, PATH, json!({"uid": uid})).await;
    assert_eq!((status, &told["details"]["token"]), (400, &json!(["This field is required."])));
}
