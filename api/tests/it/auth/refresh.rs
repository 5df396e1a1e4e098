//! Refreshing.

use std::sync::{Arc, Mutex};

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{MANY, answer, logged, post, profile_status, race, refresh};
use crate::app::TestApp;

fn token(answer: &Value) -> String {
    answer["refresh"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrations = false)]
async fn a_refresh_gives_a_new_pair(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_hours(2));
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    let (status, told) = refresh(&app, &ann.refresh).await;
    assert_eq!(status, 200);
    assert_ne!(token(&told), ann.refresh);
    assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
}

#[sqlx::test(migrations = false)]
async fn r07_64_parallel_refreshes_of_one_token_get_the_same_successor(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (client, url) = (app.client.clone(), app.url("/api/auth/token/refresh/"));
    let successors = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&successors);
    let statuses = race(move |_| {
        let request = client.post(&url).json(&json!({"refresh": ann.refresh}));
        let told = Arc::clone(&told);
        async move {
            let (status, body) = answer(request).await;
            told.lock().unwrap().push(token(&body));
            status
        }
    });
    assert_eq!(statuses.await, [200; MANY]);
    let mut successors = successors.lock().unwrap().clone();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_eq!(logged(&app, "session.refreshed").await, 1);
}

#[sqlx::test(migrations = false)]
async fn r07_a_client_that_never_stores_the_new_token_stays_signed_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for day in 0..20 {
        let (status, told) = refresh(&app, &ann.refresh).await;
        assert_eq!(status, 200, "day {day}");
        assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
        app.clock.advance(Lifetime::from_days(1));
    }
}

#[sqlx::test(migrations = false)]
async fn r07_a_late_tab_is_answered_for_ten_seconds_with_the_token_it_missed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, second) = refresh(&app, &ann.refresh).await;
    let (_, third) = refresh(&app, &token(&second)).await;
    app.clock.advance(Lifetime::from_secs(9));
    let (status, late) = refresh(&app, &ann.refresh).await;
    assert_eq!((status, token(&late)), (200, token(&second)));
    assert_eq!(profile_status(&app, third["access"].as_str().unwrap()).await, 200);
    assert_eq!(logged(&app, "session.refresh_token_reuse_detected").await, 0);
}

#[sqlx::test(migrations = false)]
async fn d09_an_old_token_is_theft_and_ends_the_session_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, second) = refresh(&app, &ann.refresh).await;
    let (_, third) = refresh(&app, &token(&second)).await;
    app.clock.advance(Lifetime::from_secs(10));
    let (status, told) = refresh(&app, &ann.refresh).await;
    assert_eq!((status, &told["code"]), (400, &json!("refresh_token_not_valid")));
    assert_eq!(profile_status(&app, third["access"].as_str().unwrap()).await, 401);
    assert_eq!(refresh(&app, &token(&third)).await.0, 400);
    assert_eq!(logged(&app, "session.refresh_token_reuse_detected").await, 1);
    let mail = app.mail_to(&ann.email).await;
    assert!(!mail.body_text.contains(&token(&third)));
}

#[sqlx::test(migrations = false)]
async fn a_session_dies_after_7_idle_days(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_days(7));
    assert_eq!(refresh(&app, &ann.refresh).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn no_bad_token_is_refreshed_and_none_is_answered_401(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for bad in ["", "undefined", ann.access.as_str(), &ann.refresh[1..]] {
        let (status, told) = refresh(&app, bad).await;
        assert_eq!((status, &told["code"]), (400, &json!("refresh_token_not_valid")), "{bad}");
    }
    let (status, told) = post(&app, "/api/auth/token/refresh/", json!({})).await;
    assert_eq!((status, &told["refresh"]), (400, &json!(["This field is required."])));
}
