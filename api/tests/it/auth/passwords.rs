//! NIST SP 800-63B-4 as THREATS 1.4 reads it.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{answer, log_in, post};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

async fn register(app: &TestApp, name: &str, password: &str) -> (u16, Value) {
    let mut body = registration(name);
    body["password"] = json!(password);
    body["confirm_password"] = json!(password);
    post(app, "/api/auth/register/", body).await
}

#[sqlx::test(migrations = false)]
async fn long_passwords_of_any_script_register_and_sign_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ascii: String = (' '..='~').chain(' '..='@').collect::<String>();
    assert_eq!(ascii.len(), 128);
    for (name, password) in [
        ("emoji", "🔑🌍🐢🎻🥨🚲🪐🧊".repeat(8)),
        ("ascii", ascii),
        ("lower", "aaaa bbbb cccc dd".to_owned()),
        ("bytes", "xy7 kq9 ".repeat(128)),
    ] {
        let (status, told) = register(&app, name, &password).await;
        assert_eq!(status, 201, "{name}: {told}");
        let email = format!("{name}@example.com");
        app.activate_by_mail(&email).await;
        assert_eq!(log_in(&app, &email, &password).await.0, 200, "{name}");
        let shorter: String = password.chars().take(password.chars().count() - 1).collect();
        assert_eq!(log_in(&app, &email, &shorter).await.0, 400, "{name} is never truncated");
    }
    let (status, told) = register(&app, "over", &"x".repeat(1_025)).await;
    assert_eq!(status, 400);
    assert!(told["details"]["password"][0].as_str().unwrap().contains("1024 bytes"), "{told}");
}

#[sqlx::test(migrations = false)]
async fn both_normal_forms_of_a_password_sign_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let composed = "Gr\u{fc}\u{df}e aus K\u{f6}ln";
    let decomposed = "Gru\u{308}\u{df}e aus Ko\u{308}ln";
    assert_eq!(register(&app, "ann", decomposed).await.0, 201);
    app.activate_by_mail("ann@example.com").await;
    for spelling in [composed, decomposed] {
        assert_eq!(log_in(&app, "ann@example.com", spelling).await.0, 200);
    }
    assert_eq!(log_in(&app, "ann@example.com", "Gruße aus Koln").await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn leaked_passwords_and_the_names_around_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for password in ["Password1", "friend OF emily", "iloveyou2", "KeyNest2024", "qwertyuiop"] {
        let (status, told) = register(&app, "bella", password).await;
        assert_eq!(status, 400, "{password}");
        assert!(told["details"]["password"][0].is_string(), "{password}: {told}");
    }
    let ann = app.register_active("ann").await;
    let body = json!({"name": "Zephyrine Tidewater"});
    let call = app.post("/api/core/organizations/").bearer_auth(&ann.access).json(&body);
    assert_eq!(answer(call).await.0, 201);
    app.catch_up().await;
    for (password, is_good) in
        [("ZephyrineTidewater", false), ("zephyrine-9", false), ("violet bicycle", true)]
    {
        let body = json!({"current_password": PASSWORD, "new_password": password, "confirm_new_password": password});
        let call = app.post("/api/auth/change-password/").bearer_auth(&ann.access).json(&body);
        let (status, told) = answer(call).await;
        assert_eq!(status, if is_good { 200 } else { 400 }, "{password}: {told}");
    }
}

#[sqlx::test(migrations = false)]
async fn an_instance_may_ask_for_fifteen_characters(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    builder.commands.password_chars_min = 15;
    let app = builder.start().await;
    let (status, told) = register(&app, "ann", "xkq7 vbn9 zrt4").await;
    assert_eq!(status, 400);
    assert!(told["details"]["password"][0].as_str().unwrap().contains("15"), "{told}");
    assert_eq!(register(&app, "ann", "xkq7 vbn9 zrt44").await.0, 201);
    let (_, told) = answer(app.get("/api/auth/config/")).await;
    assert_eq!(told["validation"]["password_min_length"], 15);
}
