//! Somebody was here before the owner of the address came: all five ways (THREATS A13).

use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::browser::{created, sign_in};
use super::identities::{finish, link_code};
use super::providers::{account, app_with_google};
use crate::auth::calls::{answer, log_in, mailed_link, post, profile_status, refresh};
use crate::person::{PASSWORD, registration};

const REFUSED: (u16, &str) = (409, "oauth_link_required");

#[sqlx::test(migrations = false)]
async fn d07_classic_federated_merge(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    // The attacker registers the victim's address and waits.
    post(&app, "/api/auth/register/", registration("ann")).await;
    let (status, told) = sign_in(&app, "google", &account("ann")).await;
    assert_eq!(
        (status, told["code"].as_str().unwrap()),
        REFUSED,
        "not into an unconfirmed account"
    );
    assert_eq!(created(&app).await, [1, 0, 0]);
    // Nor into a confirmed one, by the address alone.
    app.activate_by_mail("ann@example.com").await;
    let (status, told) = sign_in(&app, "google", &account("ann")).await;
    assert_eq!((status, told["code"].as_str().unwrap()), REFUSED);
    assert_eq!(created(&app).await, [1, 0, 0]);
}

#[sqlx::test(migrations = false)]
async fn d07_unexpired_session(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    // The attacker has no session of an unconfirmed account to keep.
    post(&app, "/api/auth/register/", registration("ann")).await;
    let (status, told) = log_in(&app, "ann@example.com", PASSWORD).await;
    assert_eq!((status, &told["code"]), (403, &json!("account_inactive")));
    // The owner confirms, then takes the account over by a reset: whatever was signed in before has ended.
    app.activate_by_mail("ann@example.com").await;
    let (_, attackers) = log_in(&app, "ann@example.com", PASSWORD).await;
    post(&app, "/api/auth/password-reset/", json!({"email": "ann@example.com"})).await;
    let (uid, token) = mailed_link(&app, "ann@example.com").await;
    let new = "another-Horse-9-battery";
    let body = json!({"uid": uid, "token": token, "new_password": new, "confirm_password": new});
    assert_eq!(post(&app, "/api/auth/password-reset-confirm/", body).await.0, 200);
    assert_eq!(profile_status(&app, attackers["access"].as_str().unwrap()).await, 401);
    assert_eq!(refresh(&app, attackers["refresh"].as_str().unwrap()).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn d07_trojan_identifier(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    // The attacker wants an identity of their own in the victim's account before the victim confirms it.
    post(&app, "/api/auth/register/", registration("ann")).await;
    app.catch_up().await;
    let ids = sqlx::query_scalar::<_, i64>("select id from read.users");
    let ann = keynest_domain::UserId::new(ids.fetch_one(&app.store_pool).await.unwrap());
    // Even with a session that cannot exist: the account must be active.
    let origin = keynest_commands::Origin {
        actor: Some(ann),
        ..keynest_commands::Origin::product(app.clock.request_id())
    };
    assert!(app.app.commands.may_link_identity(&origin).await.is_err());
    // And the other way round: the attacker's own account never gets the victim's identity by its address.
    let eve = app.register_active("eve").await;
    let code = link_code(&app, &eve, "google", &account("eve")).await;
    assert_eq!(finish(&app, &eve, &code).await.0, 201);
    app.activate_by_mail("ann@example.com").await;
    let ann = app.sign_in("ann").await;
    let (_, own) = answer(app.as_person(&ann, Method::GET, "/api/auth/identities/")).await;
    assert_eq!(own["identities"], json!([]));
}

#[sqlx::test(migrations = false)]
async fn d07_unexpired_email_change(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    // The attacker begins an account at the provider, then the address there becomes the victim's.
    let mut eve = account("eve");
    sign_in(&app, "google", &eve).await;
    eve["email"] = json!("ann@example.com");
    let (_, told) = sign_in(&app, "google", &eve).await;
    assert_eq!(
        told["user"]["email"],
        json!("eve@example.com"),
        "an address never follows a provider"
    );
    // The victim comes for the first time, and has nothing to do with it.
    let (status, told) = sign_in(&app, "google", &account("ann")).await;
    assert_eq!((status, &told["is_new_user"]), (200, &json!(true)));
    assert_ne!(told["user"]["username"], json!("eve"));
}

#[sqlx::test(migrations = false)]
async fn d07_non_verifying_provider(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let mut eve = account("eve");
    eve["email"] = json!("ann@example.com");
    eve["email_verified"] = json!(false);
    // Neither registers the victim's address …
    let (status, told) = sign_in(&app, "google", &eve).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_address_unverified")));
    // … nor opens the victim's account, nor is linked to anything.
    app.register_active("ann").await;
    let (status, _) = sign_in(&app, "google", &eve).await;
    assert_eq!(status, 400);
    let mallory = app.register_active("mallory").await;
    let code = link_code(&app, &mallory, "google", &eve).await;
    let (status, told) = finish(&app, &mallory, &code).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_address_unverified")));
    assert_eq!(created(&app).await, [2, 0, 2]);
}
