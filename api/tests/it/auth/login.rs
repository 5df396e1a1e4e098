//! Signing in.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{MANY, answer, can_log_in, log_in, logged, post, race};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

const PATH: &str = "/api/auth/login/";

#[sqlx::test(migrations = false)]
async fn a_sign_in_answers_tokens_and_the_person(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (status, told) = log_in(&app, "  ANN@example.com ", PASSWORD).await;
    assert_eq!(status, 200);
    assert!(told["message"].is_string());
    let user = &told["user"];
    assert_eq!((&user["id"], &user["username"]), (&json!(ann.id), &json!("ann")));
    assert_eq!((&user["email"], &user["full_name"]), (&json!("ann@example.com"), &json!("ann")));
    assert_eq!(user["is_active"], true);
    assert!(user["date_joined"].as_str().unwrap().ends_with('Z'));
}

#[sqlx::test(migrations = false)]
async fn d08_r04_every_failed_sign_in_is_400_with_a_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.register_active("ann").await;
    for (email, password) in [("ann@example.com", "wrong guess"), ("nobody@example.com", PASSWORD)]
    {
        let (status, told) = log_in(&app, email, password).await;
        assert_eq!((status, &told["error"]), (400, &json!("Invalid credentials")), "{email}");
        assert_eq!(told["code"], "invalid_credentials");
    }
    for body in
        [json!({}), json!({"email": "ann@example.com"}), json!({"email": 7, "password": []})]
    {
        let (status, told) = post(&app, PATH, body).await;
        assert_eq!(status, 400);
        assert!(told["details"].is_object(), "{told}");
    }
    let broken = app.post(PATH).header("content-type", "application/json").body("{\"email\":");
    let (status, told) = answer(broken).await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_json")));
}

#[sqlx::test(migrations = false)]
async fn whoever_knows_the_password_hears_that_activation_is_missing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    post(&app, "/api/auth/register/", registration("ann")).await;
    let (status, told) = log_in(&app, "ann@example.com", PASSWORD).await;
    assert_eq!((status, &told["code"]), (403, &json!("account_inactive")));
    let (status, told) = log_in(&app, "ann@example.com", "wrong guess").await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_credentials")));
}

#[sqlx::test(migrations = false)]
async fn five_failures_lock_and_say_for_how_long(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for _ in 0..5 {
        assert_eq!(log_in(&app, &ann.email, "wrong guess").await.0, 400);
    }
    let body = json!({"email": ann.email, "password": PASSWORD});
    let response = app.post(PATH).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let wait: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    let told: Value = response.json().await.unwrap();
    assert_eq!(told["code"], "locked_out");
    app.clock.advance(keynest_domain::Lifetime::from_secs(wait));
    assert!(can_log_in(&app, &ann).await);
}

#[sqlx::test(migrations = false)]
async fn of_64_parallel_guesses_five_are_answered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (client, url, email) = (app.client.clone(), app.url(PATH), ann.email.clone());
    let statuses = race(move |n| {
        let body = json!({"email": email, "password": format!("guess number {n}")});
        let request = client.post(&url).json(&body);
        async move { answer(request).await.0 }
    })
    .await;
    let answered = statuses.iter().filter(|status| **status == 400).count();
    let locked = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((answered, locked), (5, MANY - 5), "{statuses:?}");
    assert_eq!(logged(&app, "login.failed").await, 5);
    assert!(!can_log_in(&app, &ann).await, "the right password comes too late");
}

#[sqlx::test(migrations = false)]
async fn d01_many_calls_with_a_token_lock_nobody_out(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for _ in 0..20 {
        let (status, _) = answer(app.get("/api/auth/profile/").bearer_auth(&ann.access)).await;
        assert_eq!(status, 200);
    }
    assert!(can_log_in(&app, &ann).await);
}

#[sqlx::test(migrations = false)]
async fn d14_last_login_is_written(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, first) = log_in(&app, &ann.email, PASSWORD).await;
    let first = first["user"]["last_login"].as_str().unwrap().to_owned();
    app.clock.advance(keynest_domain::Lifetime::from_secs(5));
    let (_, second) = log_in(&app, &ann.email, PASSWORD).await;
    assert!(second["user"]["last_login"].as_str().unwrap() > first.as_str());
    let (_, told) = answer(app.get("/api/auth/profile/").bearer_auth(&ann.access)).await;
    assert_eq!(told["user"]["last_login"], second["user"]["last_login"]);
}

#[sqlx::test(migrations = false)]
async fn sixty_four_parallel_sign_ins_all_succeed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (client, url) = (app.client.clone(), app.url(PATH));
    let statuses = race(move |_| {
        let request = client.post(&url).json(&json!({"email": ann.email, "password": PASSWORD}));
        async move { answer(request).await.0 }
    });
    assert_eq!(statuses.await, [200; MANY]);
}
