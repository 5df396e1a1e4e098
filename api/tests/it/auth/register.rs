//! Registration.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{MANY, answer, log_in, logged, post, race};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

const PATH: &str = "/api/auth/register/";

#[sqlx::test(migrations = false)]
async fn r05_registration_answers_without_a_session(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut body = registration("ann");
    body["email"] = json!("Ann@Example.com");
    let (status, told) = post(&app, PATH, body).await;
    assert_eq!(status, 201);
    assert!(told["message"].is_string());
    assert_eq!(
        (&told["user"], &told["access"], &told["refresh"]),
        (&Value::Null, &json!(""), &json!(""))
    );
    assert_eq!(told["account"], json!({"username": "ann", "email": "ann@example.com"}));
    assert!(told.as_object().unwrap().contains_key("user"), "null, not absent");
}

#[sqlx::test(migrations = false)]
async fn r20_details_are_an_object_of_arrays(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let body = json!({
        "username": "a b", "email": "nobody", "password": "short", "confirm_password": "other",
        "first_name": "a\u{1}b", "last_name": "",
    });
    let (status, told) = post(&app, PATH, body).await;
    assert_eq!((status, &told["code"]), (400, &json!("validation")));
    for field in ["username", "email", "password", "confirm_password", "first_name"] {
        assert!(told["details"][field][0].is_string(), "{field}: {told}");
        assert_eq!(told["details"][field], told[field]);
    }
    assert!(told["error"].is_string());
    let (status, told) = post(&app, PATH, json!({})).await;
    assert_eq!((status, &told["details"]["email"]), (400, &json!(["This field is required."])));
}

#[sqlx::test(migrations = false)]
async fn passwords_are_judged_with_the_words_of_the_account(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (password, is_good) in [
        ("12345678901", false),
        ("password123", false),
        ("annabella.smith", false),
        ("🔑🔑🔑🔑🔑🔑🔑", false),
        ("four quiet words here", true),
    ] {
        let mut body = registration("annabella_smith");
        body["password"] = json!(password);
        body["confirm_password"] = json!(password);
        let (status, told) = post(&app, PATH, body).await;
        assert_eq!(status, if is_good { 201 } else { 400 }, "{password}: {told}");
        assert_eq!(told["details"]["password"].is_array(), !is_good, "{password}: {told}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_taken_username_is_a_field_error(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.register_active("ann").await;
    for email in ["ann@example.com", "new@example.com"] {
        let mut body = registration("ann");
        body["email"] = json!(email);
        let (status, told) = post(&app, PATH, body).await;
        assert_eq!(status, 400);
        assert!(told["details"]["username"][0].is_string(), "{email}");
    }
}

#[sqlx::test(migrations = false)]
async fn the_personal_organization_is_named_after_its_owner(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut body = registration("ann");
    body["first_name"] = json!("Ann");
    assert_eq!(post(&app, PATH, body).await.0, 201);
    app.activate_by_mail("ann@example.com").await;
    let bob = app.register_active("bob").await;
    let ann = app.sign_in("ann").await;
    app.catch_up().await;
    for (person, name) in [(ann, "Ann's Organization"), (bob, "bob's Organization")] {
        let (_, told) = answer(app.get("/api/auth/profile/").bearer_auth(&person.access)).await;
        assert_eq!(told["organizations"][0]["name"], name);
        assert_eq!(told["organizations"][0]["role"], "admin");
    }
}

#[sqlx::test(migrations = false)]
async fn d25_of_64_registrations_of_one_address_one_makes_an_account(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let client = app.client.clone();
    let url = app.url(PATH);
    let statuses = race(move |n| {
        let mut body = registration(&format!("ann_{n}"));
        let spelling = if n % 2 == 0 { "ann@example.com" } else { "ANN@Example.COM" };
        body["email"] = json!(spelling);
        let request = client.post(&url).json(&body);
        async move { answer(request).await.0 }
    });
    assert_eq!(statuses.await, [201; MANY]);
    assert_eq!(logged(&app, "user.registered").await, 1);
}

#[sqlx::test(migrations = false)]
async fn d25_of_64_registrations_of_one_username_one_makes_an_account(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let client = app.client.clone();
    let url = app.url(PATH);
    let statuses = race(move |n| {
        let mut body = registration("ann");
        body["email"] = json!(format!("ann{n}@example.com"));
        let request = client.post(&url).json(&body);
        async move { answer(request).await.0 }
    })
    .await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!((made, statuses[MANY - 1]), (1, 400), "{statuses:?}");
    assert_eq!(logged(&app, "user.registered").await, 1);
}

#[sqlx::test(migrations = false)]
async fn the_owner_of_a_taken_address_hears_of_it_by_mail(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.register_active("ann").await;
    let mut body = registration("somebody_else");
    body["email"] = json!("ann@example.com");
    body["password"] = json!("another quiet sentence");
    body["confirm_password"] = json!("another quiet sentence");
    assert_eq!(post(&app, PATH, body).await.0, 201);
    assert_eq!(logged(&app, "user.registration_repeated").await, 1);
    let mail = app.mail_to("ann@example.com").await;
    assert!(!mail.body_text.contains("somebody_else"), "the stranger's words reach nobody");
    assert_eq!(log_in(&app, "ann@example.com", "another quiet sentence").await.0, 400);
    assert_eq!(log_in(&app, "ann@example.com", PASSWORD).await.0, 200);
}
