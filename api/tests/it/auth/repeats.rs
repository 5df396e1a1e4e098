//! `Idempotency-Key` on routes for everybody: a repeat does nothing twice and shows no token again.

use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, logged, mailed_link, post, profile_status};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

const KEY: &str = "idempotency-key";

#[sqlx::test(migrations = false)]
async fn a_repeated_registration_makes_one_account_and_sends_one_mail(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for _ in 0..2 {
        let request = app.post("/api/auth/register/").header(KEY, "1").json(&registration("ann"));
        assert_eq!(answer(request).await.0, 201);
    }
    assert_eq!(logged(&app, "user.registered").await, 1);
    assert_eq!(logged(&app, "user.activation_requested").await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_repeated_sign_in_compares_the_password_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let body = json!({"email": ann.email, "password": PASSWORD});
    let log_in = || answer(app.post("/api/auth/login/").header(KEY, "1").json(&body));
    let (_, first) = log_in().await;
    let (_, second) = log_in().await;
    assert_ne!(first["refresh"], second["refresh"], "a session of its own");
    let new = "four quiet words here";
    let change =
        json!({"current_password": PASSWORD, "new_password": new, "confirm_new_password": new});
    let changed = app.post("/api/auth/change-password/").bearer_auth(&ann.access).json(&change);
    assert_eq!(answer(changed).await.0, 200);
    assert_eq!(log_in().await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn a_repeated_reset_succeeds_once_more_without_effect(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    post(&app, "/api/auth/password-reset/", json!({"email": ann.email})).await;
    let (uid, token) = mailed_link(&app, &ann.email).await;
    let new = "four quiet words here";
    let body = json!({"uid": uid, "token": token, "new_password": new, "confirm_password": new});
    for _ in 0..2 {
        let request = app.post("/api/auth/password-reset-confirm/").header(KEY, "1").json(&body);
        assert_eq!(answer(request).await.0, 200);
    }
    assert_eq!(logged(&app, "user.password_reset").await, 1);
    let (status, _) = post(&app, "/api/auth/password-reset-confirm/", body).await;
    assert_eq!(status, 400, "without the key it is a second use");
    assert_eq!(profile_status(&app, &ann.access).await, 401);
}
