//! A new password.

use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, log_in, profile_status, refresh};
use crate::app::TestApp;
use crate::person::PASSWORD;

const PATH: &str = "/api/auth/change-password/";
const NEW: &str = "four quiet words here";

#[sqlx::test(migrations = false)]
async fn d09_a_new_password_ends_every_other_session_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let laptop = app.register_active("ann").await;
    let phone = app.sign_in("ann").await;
    let body =
        json!({"current_password": PASSWORD, "new_password": NEW, "confirm_new_password": NEW});
    let (status, told) = answer(app.post(PATH).bearer_auth(&laptop.access).json(&body)).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(profile_status(&app, &phone.access).await, 401);
    assert_eq!(refresh(&app, &phone.refresh).await.0, 400);
    assert_eq!(profile_status(&app, &laptop.access).await, 200);
    let (status, told) = refresh(&app, &laptop.refresh).await;
    assert_eq!(status, 200);
    assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
    assert_eq!(log_in(&app, &laptop.email, PASSWORD).await.0, 400);
    assert_eq!(log_in(&app, &laptop.email, NEW).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn both_spellings_of_the_fields_are_understood(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let body = json!({"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW});
    assert_eq!(answer(app.post(PATH).bearer_auth(&ann.access).json(&body)).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn what_is_wrong_is_told_by_field_and_never_as_401(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for (current, new, confirm, field) in [
        ("wrong guess", NEW, NEW, "current_password"),
        (PASSWORD, "short", "short", "new_password"),
        (PASSWORD, NEW, "other", "confirm_new_password"),
    ] {
        let body = json!({"current_password": current, "new_password": new, "confirm_new_password": confirm});
        let (status, told) = answer(app.post(PATH).bearer_auth(&ann.access).json(&body)).await;
        assert_eq!(status, 400);
        assert!(told["details"][field][0].is_string(), "{field}: {told}");
    }
    assert_eq!(answer(app.post(PATH).json(&json!({}))).await.0, 403);
}

#[sqlx::test(migrations = false)]
async fn guesses_with_a_stolen_token_lock(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let guess = json!({"current_password": "wrong guess", "new_password": NEW, "confirm_new_password": NEW});
    for _ in 0..5 {
        assert_eq!(answer(app.post(PATH).bearer_auth(&ann.access).json(&guess)).await.0, 400);
    }
    let (status, told) = answer(app.post(PATH).bearer_auth(&ann.access).json(&guess)).await;
    assert_eq!((status, &told["code"]), (429, &json!("locked_out")));
}
