//! Lifetimes and limits that the operator set, as callers meet them.

use keynest_domain::Lifetime;
use keynest_domain::login::Lockout;
use keynest_domain::session::Lifetimes;
use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, log_in, profile_status, refresh};
use crate::app::TestApp;
use crate::person::PASSWORD;

#[sqlx::test(migrations = false)]
async fn tokens_sessions_and_locks_are_as_configured_and_described(pool: PgPool) {
    let minutes = Lifetime::from_minutes;
    let mut builder = TestApp::builder(pool);
    builder.settings.access_token = minutes(7);
    builder.commands.sessions =
        Lifetimes { idle: Lifetime::from_hours(36), ..Lifetimes::default() };
    builder.commands.lockout =
        Lockout { failures_max: 2, cool_off_first: minutes(20), cool_off_max: minutes(20) };
    let app = builder.start().await;
    let ann = app.register_active("ann").await;
    let (_, told) = answer(app.get("/api/auth/config/")).await;
    let described = &told["authentication"];
    assert_eq!(described["access_token_lifetime"], 7 * 60);
    assert_eq!(described["refresh_token_lifetime"], 36 * 3_600);
    let (_, told) = answer(app.get("/api/auth/status/")).await;
    let described = &told["token_config"];
    assert_eq!(described["access_token_lifetime_minutes"], 7);
    assert_eq!(described["refresh_token_lifetime_days"], 2, "days begun");

    assert_eq!(profile_status(&app, &ann.access).await, 200);
    app.clock.advance(minutes(7));
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    app.clock.advance(Lifetime::from_hours(36));
    let (status, told) = refresh(&app, &ann.refresh).await;
    assert_eq!((status, &told["code"]), (400, &json!("refresh_token_not_valid")));

    for _ in 0..2 {
        assert_eq!(log_in(&app, &ann.email, "a wrong guess").await.0, 400);
    }
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 429);
    app.clock.advance(minutes(15));
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 429);
    app.clock.advance(minutes(5));
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 200);
}
