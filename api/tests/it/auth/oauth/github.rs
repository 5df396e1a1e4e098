//! `GitHub`: OAuth 2.0 with habits of its own.

use serde_json::json;
use sqlx::PgPool;

use super::browser::{Browser, created, sign_in};
use super::providers::{builder, github, github_account, like_github};
use crate::app::TestApp;

async fn app(pool: PgPool, what: &str) -> TestApp {
    builder(pool, vec![like_github(&github(what))]).start().await
}

#[sqlx::test(migrations = false)]
async fn somebody_comes_with_the_verified_primary_address(pool: PgPool) {
    let app = app(pool, "good").await;
    let (status, told) = sign_in(&app, "github", &github_account("octo-cat", 7)).await;
    assert_eq!(status, 200, "{told}");
    let user = &told["user"];
    assert_eq!(
        (&user["username"], &user["email"]),
        (&json!("octo_cat"), &json!("octo-cat@example.com"))
    );
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Octo"), &json!("Cat")));
    // The number is the person; the login may change.
    let (_, again) = sign_in(&app, "github", &github_account("renamed", 7)).await;
    assert_eq!((&again["user"]["id"], &again["is_new_user"]), (&user["id"], &json!(false)));
}

#[sqlx::test(migrations = false)]
async fn answers_in_forms_are_understood(pool: PgPool) {
    let app = app(pool, "forms").await;
    assert_eq!(sign_in(&app, "github", &github_account("octo", 7)).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn errors_with_status_200_are_errors(pool: PgPool) {
    let app = app(pool, "refusing").await;
    let told = Browser::new(&app).travel("github", &github_account("octo", 7)).await;
    assert_eq!(told, ("error".to_owned(), "oauth_proof_invalid".to_owned()));
    assert_eq!(created(&app).await, [0, 0, 0]);
}

#[sqlx::test(migrations = false)]
async fn unverified_addresses_register_nobody(pool: PgPool) {
    let app = app(pool, "good").await;
    let mut octo = github_account("octo", 7);
    octo["emails"] = json!([{"email": "octo@example.com", "primary": true, "verified": false}]);
    let (status, told) = sign_in(&app, "github", &octo).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_address_unverified")));
    assert_eq!(created(&app).await, [0, 0, 0]);
}
