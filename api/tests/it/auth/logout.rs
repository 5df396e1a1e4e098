//! Signing out.

use keynest_domain::Lifetime;
use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, logged, profile_status, refresh};
use crate::app::TestApp;

const PATH: &str = "/api/auth/logout/";

#[sqlx::test(migrations = false)]
async fn d09_r08_signing_out_with_an_empty_body_ends_both_tokens_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (status, told) = answer(app.post(PATH).bearer_auth(&ann.access)).await;
    assert_eq!(status, 200);
    assert!(told["message"].is_string());
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    assert_eq!(refresh(&app, &ann.refresh).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn signing_out_ends_no_other_session(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let laptop = app.register_active("ann").await;
    let phone = app.sign_in("ann").await;
    answer(app.post(PATH).bearer_auth(&laptop.access)).await;
    assert_eq!(profile_status(&app, &phone.access).await, 200);
    assert_eq!(refresh(&app, &phone.refresh).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn r19_signing_out_answers_200_with_no_bad_and_used_tokens(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    assert_eq!(answer(app.post(PATH)).await.0, 200);
    assert_eq!(answer(app.post(PATH).bearer_auth("undefined")).await.0, 200);
    assert_eq!(answer(app.post(PATH).bearer_auth(format!("{}x", ann.access))).await.0, 200);
    assert_eq!(profile_status(&app, &ann.access).await, 200, "a bad token ends nothing");
    for _ in 0..2 {
        assert_eq!(answer(app.post(PATH).bearer_auth(&ann.access)).await.0, 200);
    }
    assert_eq!(logged(&app, "session.ended").await, 1);
}

#[sqlx::test(migrations = false)]
async fn an_expired_token_still_names_the_session_to_end(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_hours(2));
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    assert_eq!(answer(app.post(PATH).bearer_auth(&ann.access)).await.0, 200);
    assert_eq!(refresh(&app, &ann.refresh).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn a_refresh_token_in_the_body_is_enough(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (status, _) = answer(app.post(PATH).json(&json!({"refresh": ann.refresh}))).await;
    assert_eq!(status, 200);
    assert_eq!(profile_status(&app, &ann.access).await, 401);
}
