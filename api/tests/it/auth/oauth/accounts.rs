//! Accounts that begin at a provider, and what they are later.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::browser::{created, sign_in};
use super::providers::{account, app_with_google, builder, misbehaving, oidc};
use crate::auth::calls::{answer, log_in, mailed_link};
use crate::person::PASSWORD;

#[sqlx::test(migrations = false)]
async fn a_new_account_has_its_organization_and_is_welcomed(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let access = told["access"].as_str().unwrap();
    app.catch_up().await;
    let (_, profile) = answer(app.get("/api/auth/profile/").bearer_auth(access)).await;
    assert_eq!(profile["organizations"][0]["name"], json!("ann's Organization"));
    assert_eq!(profile["organizations"][0]["role"], json!("admin"));
    let mails = app.deliver().await;
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects.len(), 1, "a welcome, no activation, no notice of a link: {subjects:?}");
}

#[sqlx::test(migrations = false)]
async fn usernames_that_are_taken_get_a_number(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    app.register_active("ann").await;
    let named = |name: &str, sub: &str| {
        let mut it = account(name);
        it["sub"] = json!(sub);
        it["email"] = json!(format!("ann@{sub}.example"));
        it
    };
    for (sub, expected) in [("one", "ann2"), ("two", "ann3")] {
        let (status, told) = sign_in(&app, "google", &named("ann", sub)).await;
        assert_eq!((status, &told["user"]["username"]), (200, &json!(expected)), "{told}");
    }
}

#[sqlx::test(migrations = false)]
async fn names_and_picture_follow_until_the_person_chooses(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let mut ann = account("ann");
    sign_in(&app, "google", &ann).await;
    ann["given_name"] = json!("Anna");
    ann["picture"] = json!("https://pictures.example/new.png");
    let (_, told) = sign_in(&app, "google", &ann).await;
    app.catch_up().await;
    let access = told["access"].as_str().unwrap();
    let (_, profile) = answer(app.get("/api/auth/profile/").bearer_auth(access)).await;
    assert_eq!(profile["first_name"], json!("Anna"));
    assert_eq!(profile["avatar_url"], json!("https://pictures.example/new.png"));
    let (_, own) = answer(app.get("/api/auth/identities/").bearer_auth(access)).await;
    assert_eq!(own["identities"][0]["avatar_url"], json!("https://pictures.example/new.png"));
    let chosen = json!({"first_name": "Annette"});
    let path = "/api/auth/profile/";
    answer(app.request(Method::PATCH, path).bearer_auth(access).json(&chosen)).await;
    ann["given_name"] = json!("Annabel");
    ann["picture"] = json!("http://pictures.example/plain.png");
    sign_in(&app, "google", &ann).await;
    app.catch_up().await;
    let (_, profile) = answer(app.get(path).bearer_auth(access)).await;
    assert_eq!((&profile["first_name"], &profile["avatar_url"]), (&json!("Annette"), &Value::Null));
    let (_, own) = answer(app.get("/api/auth/identities/").bearer_auth(access)).await;
    assert_eq!(own["identities"][0]["avatar_url"], Value::Null, "only https");
}

#[sqlx::test(migrations = false)]
async fn an_account_without_a_password_gets_one_by_mail_only(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let access = told["access"].as_str().unwrap();
    for password in ["", PASSWORD] {
        let (status, told) = log_in(&app, "ann@example.com", password).await;
        assert_eq!(status, 400, "{told}");
    }
    let change = json!({"current_password": PASSWORD, "new_password": PASSWORD, "confirm_password": PASSWORD});
    let (status, _) =
        answer(app.post("/api/auth/change-password/").bearer_auth(access).json(&change)).await;
    assert_eq!(status, 400);
    answer(app.post("/api/auth/password-reset/").json(&json!({"email": "ann@example.com"}))).await;
    let (uid, token) = mailed_link(&app, "ann@example.com").await;
    let body =
        json!({"uid": uid, "token": token, "new_password": PASSWORD, "confirm_password": PASSWORD});
    let (status, told) = answer(app.post("/api/auth/password-reset-confirm/").json(&body)).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(log_in(&app, "ann@example.com", PASSWORD).await.0, 200);
    assert_eq!(sign_in(&app, "google", &account("ann")).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn a_closed_account_is_not_opened_by_a_provider(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let user = keynest_domain::UserId::new(told["user"]["id"].as_i64().unwrap());
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    app.app.commands.deactivate_user(&origin, user).await.unwrap();
    let (status, told) = sign_in(&app, "google", &account("ann")).await;
    assert_eq!((status, &told["code"]), (403, &json!("account_inactive")));
    assert_eq!(created(&app).await, [1, 1, 1]);
}

#[sqlx::test(migrations = false)]
async fn the_identity_is_the_subject_whatever_the_address_is_now(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (_, first) = sign_in(&app, "google", &account("ann")).await;
    // The address changed at the provider: still the same person.
    let mut moved = account("ann");
    moved["email"] = json!("ann@elsewhere.example");
    let (_, told) = sign_in(&app, "google", &moved).await;
    assert_eq!((&told["user"]["id"], &told["is_new_user"]), (&first["user"]["id"], &json!(false)));
    // The address was given to somebody else there: not the same person.
    let mut recycled = account("ann");
    recycled["sub"] = json!("subject-of-somebody-else");
    let (status, told) = sign_in(&app, "google", &recycled).await;
    assert_eq!((status, &told["code"]), (409, &json!("oauth_link_required")));
}

#[sqlx::test(migrations = false)]
async fn the_same_subject_at_another_provider_is_somebody_else(pool: PgPool) {
    let providers = vec![oidc("google", &misbehaving("good")), oidc("other", &misbehaving("good"))];
    let app = builder(pool, providers).start().await;
    sign_in(&app, "google", &account("ann")).await;
    let (status, told) = sign_in(&app, "other", &account("ann")).await;
    assert_eq!((status, &told["code"]), (409, &json!("oauth_link_required")), "the same address");
    let mut other = account("ann");
    other["email"] = json!("another@example.com");
    let (_, told) = sign_in(&app, "other", &other).await;
    assert_eq!(told["is_new_user"], json!(true));
    assert_eq!(created(&app).await[0], 2);
}
