//! How often the public routes may be tried.

use keynest_api::throttle::ThrottleLimits;
use serde_json::json;
use sqlx::PgPool;

use super::calls::post;
use crate::app::TestApp;
use crate::person::registration;

async fn throttled(pool: PgPool) -> TestApp {
    let mut builder = TestApp::builder(pool);
    builder.settings.throttles = ThrottleLimits::default();
    builder.start().await
}

#[sqlx::test(migrations = false)]
async fn d33_a_fourth_registration_in_a_minute_is_429_with_a_time(pool: PgPool) {
    let app = throttled(pool).await;
    for n in 0..3 {
        assert_eq!(
            post(&app, "/api/auth/register/", registration(&format!("ann_{n}"))).await.0,
            201
        );
    }
    let response =
        app.post("/api/auth/register/").json(&registration("late")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let wait: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[sqlx::test(migrations = false)]
async fn d33_routes_do_not_share_their_budget(pool: PgPool) {
    let app = throttled(pool).await;
    let activate = json!({"uid": "1", "token": "x"});
    for _ in 0..5 {
        assert_eq!(post(&app, "/api/auth/activate/", activate.clone()).await.0, 400);
    }
    assert_eq!(post(&app, "/api/auth/activate/", activate).await.0, 429);
    let login = json!({"email": "nobody@example.com", "password": "wrong guess"});
    assert_eq!(post(&app, "/api/auth/login/", login).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn d33_a_sixth_reset_in_an_hour_is_429(pool: PgPool) {
    let app = throttled(pool).await;
    let body = json!({"email": "nobody@example.com"});
    for _ in 0..5 {
        assert_eq!(post(&app, "/api/auth/password-reset/", body.clone()).await.0, 200);
    }
    assert_eq!(post(&app, "/api/auth/password-reset/", body).await.0, 429);
}
