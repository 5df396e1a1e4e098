//! The step between the two factors cannot be skipped, repeated or kept.

use keynest_domain::Lifetime;
use serde_json::json;
use sqlx::PgPool;

use super::{guarded, next_step, question, reply};
use crate::app::TestApp;
use crate::auth::calls::{logged, mailed_link, post, profile_status, refresh};

#[sqlx::test(migrations = false)]
async fn the_step_cannot_be_skipped(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let before = logged(&app, "session.started").await;
    let asked = question(&app, &ann.person).await;
    let token = asked["challenge"].as_str().unwrap();
    assert_eq!(profile_status(&app, token).await, 401);
    assert_eq!(refresh(&app, token).await.0, 400);
    assert!(asked["access"].is_null() && asked["refresh"].is_null());
    for body in [
        json!({}),
        json!({"challenge": token}),
        json!({"challenge": token, "code": "1", "recovery_code": "2"}),
    ] {
        assert_eq!(post(&app, "/api/auth/login/challenge/", body).await.0, 400);
    }
    assert_eq!(logged(&app, "session.started").await, before);
}

#[sqlx::test(migrations = false)]
async fn a_challenge_is_answered_once_and_in_time(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let refused = |told: (u16, serde_json::Value)| (told.0, told.1["code"].clone());
    let closed = (400, json!("challenge_not_valid"));
    let asked = question(&app, &ann.person).await;
    let late = question(&app, &ann.person).await;
    assert_eq!(reply(&app, &asked, "code", ann.code(&app).into()).await.0, 200);
    next_step(&app);
    assert_eq!(refused(reply(&app, &asked, "code", ann.code(&app).into()).await), closed);
    app.clock.advance(Lifetime::from_secs(271));
    assert_eq!(refused(reply(&app, &late, "code", ann.code(&app).into()).await), closed);
    let forged = json!({"challenge": "made-up"});
    assert_eq!(refused(reply(&app, &forged, "code", ann.code(&app).into()).await), closed);
}

#[sqlx::test(migrations = false)]
async fn a_reset_password_neither_signs_in_nor_switches_the_factor_off(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let before = question(&app, &ann.person).await;
    post(&app, "/api/auth/password-reset/", json!({"email": ann.person.email})).await;
    let (uid, token) = mailed_link(&app, &ann.person.email).await;
    let new = crate::person::PASSWORD;
    let body = json!({"uid": uid, "token": token, "new_password": new, "confirm_password": new});
    let (status, told) = post(&app, "/api/auth/password-reset-confirm/", body).await;
    assert_eq!(status, 200, "{told}");
    assert!(told["access"].is_null());
    let (status, told) = reply(&app, &before, "code", ann.code(&app).into()).await;
    assert_eq!(
        (status, &told["code"]),
        (400, &json!("challenge_not_valid")),
        "began with the old password"
    );
    let asked = question(&app, &ann.person).await;
    assert_eq!(reply(&app, &asked, "code", ann.code(&app).into()).await.0, 200);
}
