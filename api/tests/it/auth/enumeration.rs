//! Nobody learns from an answer whether an address has an account (D27).

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::post;
use crate::app::TestApp;
use crate::person::registration;

/// What differs between any two answers: time, request, counters of the throttles.
const FLEETING: [&str; 6] =
    ["date", "ratelimit", "x-ratelimit-reset", "x-request-id", "x-response-time", "x-timestamp"];

/// Status, headers and body, without what differs between any two answers.
async fn bytes(app: &TestApp, path: &str, body: &Value, address: &str) -> String {
    let response = app.post(path).json(body).send().await.unwrap();
    let status = response.status();
    let mut headers: Vec<String> = response
        .headers()
        .iter()
        .filter(|(name, _)| !FLEETING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let text = response.text().await.unwrap();
    let mut told: Value = serde_json::from_str(&text).unwrap();
    told.as_object_mut().unwrap().remove("request_id");
    format!("{status} {headers:?} {told}").replace(address, "ADDRESS")
}

/// A waiting, an active and a closed account; `new@example.com` has none.
async fn world(pool: PgPool) -> TestApp {
    let app = TestApp::start(pool).await;
    assert_eq!(post(&app, "/api/auth/register/", registration("off")).await.0, 201);
    app.register_active("ann").await;
    let closed = app.register_active("bob").await;
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let user = keynest_domain::UserId::new(closed.id);
    app.app.commands.deactivate_user(&origin, user).await.unwrap();
    app
}

const ADDRESSES: [&str; 4] =
    ["new@example.com", "off@example.com", "ann@example.com", "bob@example.com"];

#[sqlx::test(migrations = false)]
async fn d27_registration_answers_the_same_for_every_address(pool: PgPool) {
    let app = world(pool).await;
    let mut answers = Vec::new();
    for (n, address) in ADDRESSES.iter().enumerate() {
        let mut body = registration(&format!("stranger_{n}"));
        body["email"] = json!(address);
        let told = bytes(&app, "/api/auth/register/", &body, address).await;
        answers.push(told.replace(&format!("stranger_{n}"), "STRANGER"));
    }
    assert!(answers[0].starts_with("201"));
    assert!(answers.iter().all(|told| *told == answers[0]), "{answers:#?}");
}

#[sqlx::test(migrations = false)]
async fn d27_reset_and_resend_answer_the_same_for_every_address(pool: PgPool) {
    let app = world(pool).await;
    for path in ["/api/auth/password-reset/", "/api/auth/activation/resend/"] {
        let mut answers = Vec::new();
        for address in ADDRESSES {
            answers.push(bytes(&app, path, &json!({"email": address}), address).await);
        }
        assert!(answers[0].starts_with("200"));
        assert!(answers.iter().all(|told| *told == answers[0]), "{path}: {answers:#?}");
    }
}

#[sqlx::test(migrations = false)]
async fn d27_a_wrong_password_answers_the_same_for_every_address(pool: PgPool) {
    let app = world(pool).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        for address in ADDRESSES {
            let body = json!({"email": address, "password": "wrong guess"});
            answers.push(bytes(&app, "/api/auth/login/", &body, address).await);
        }
    }
    let (refused, locked) = answers.split_at(5 * ADDRESSES.len());
    assert!(refused[0].starts_with("400") && locked[0].starts_with("429"));
    assert!(refused.iter().all(|told| *told == refused[0]), "{refused:#?}");
    let without_time = |told: &String| told.split("retry-after").next().unwrap().to_owned();
    assert!(
        locked.iter().all(|told| without_time(told) == without_time(&locked[0])),
        "{locked:#?}"
    );
}
