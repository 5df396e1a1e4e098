//! An erasure is complete: no name is held any more, nothing opens anything, and the way is free for somebody new.

use std::collections::BTreeSet;

use keynest_domain::{Aggregate, SessionId, session::Session};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::account::assert_rebuilt_equals_live;
use super::calls::{answer, log_in, post, profile_status, refresh};
use super::everything::{CANARY, Everything};
use super::factors::{Authenticator, passkeys};
use super::oauth::browser::sign_in;
use super::oauth::providers::account;
use crate::app::TestApp;
use crate::person::{PASSWORD, Person, registration};

/// Every name that anybody holds.
async fn claims(app: &TestApp) -> Vec<String> {
    let keys = sqlx::query_scalar("select key from store.claims order by key");
    keys.fetch_all(&app.store_pool).await.unwrap()
}

async fn erase(app: &TestApp, person: &Person) {
    let (status, told) = answer(app.as_person(person, Method::DELETE, "/api/auth/account/")).await;
    assert_eq!(status, 200, "{told}");
}

#[sqlx::test(migrations = false)]
async fn of_somebody_who_had_one_of_everything_no_claim_is_left(pool: PgPool) {
    let Everything { app, person, token, .. } = Everything::start(pool).await;
    let before = claims(&app).await;
    let kinds: BTreeSet<&str> = before.iter().map(|key| key.split(':').next().unwrap()).collect();
    let all = ["device", "email", "identity", "organization-name", "passkey", "token", "username"];
    assert_eq!(kinds, BTreeSet::from(all), "{before:?}");
    assert_eq!(before.iter().filter(|key| key.starts_with("token:")).count(), 2, "{before:?}");
    erase(&app, &person).await;
    assert_eq!(claims(&app).await, Vec::<String>::new());

    for bearer in [&person, &token] {
        assert_eq!(profile_status(&app, &bearer.access).await, 401);
    }
    assert_eq!(answer(app.as_person(&token, Method::GET, "/api/core/projects/")).await.0, 401);
    assert_eq!(refresh(&app, &person.refresh).await.0, 400);
    assert_eq!(log_in(&app, &person.email, PASSWORD).await.0, 400);
    assert_rebuilt_equals_live(&app).await;
}

#[sqlx::test(migrations = false)]
async fn whatever_an_erased_account_held_is_free_for_somebody_new(pool: PgPool) {
    let Everything { app, person, mut key, .. } = Everything::start(pool).await;
    erase(&app, &person).await;
    assert_eq!(post(&app, "/api/auth/register/", registration(CANARY)).await.0, 201);
    app.activate_by_mail(&person.email).await;
    let again = app.sign_in(CANARY).await;
    assert_ne!(again.id, person.id);
    for path in ["identities", "tokens", "factors"] {
        let (status, told) =
            answer(app.as_person(&again, Method::GET, &format!("/api/auth/{path}/"))).await;
        assert_eq!(status, 200);
        assert!(!told.to_string().contains(CANARY), "{path}: {told}");
    }
    // The identity is nobody's, and the passkey can be made anew.
    let (_, told) = sign_in(&app, "google", &account(&format!("other-{CANARY}"))).await;
    assert_eq!(told["is_new_user"], json!(true), "{told}");
    assert_eq!(passkeys::enrol(&app, &again, &mut key).await.0, 201);
    assert_eq!(
        passkeys::enrol(&app, &again, &mut Authenticator::new("another")).await.0,
        201,
        "the limit of factors counts from none"
    );
    assert_rebuilt_equals_live(&app).await;
}

#[sqlx::test(migrations = false)]
async fn a_network_that_was_noted_during_the_erasure_goes_with_the_last_mail(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, listed) = answer(app.as_person(&ann, Method::GET, "/api/auth/sessions/")).await;
    let session: SessionId = listed["sessions"][0]["id"].as_str().unwrap().parse().unwrap();
    erase(&app, &ann).await;
    assert_eq!(claims(&app).await, Vec::<String>::new());
    // What a sign-in leaves whose append came between the look at the claims and the erasure's append.
    let late = format!("device:{}:late", ann.id);
    sqlx::query(
        "insert into store.claims (key, stream_id) select $1, id from store.streams where name = $2",
    )
    .bind(&late)
    .bind(Session::stream(session).as_str())
    .execute(&app.store_pool)
    .await
    .unwrap();
    assert_eq!(claims(&app).await, [late]);
    assert_eq!(app.mail_to(&ann.email).await.kind, "account_erased");
    assert_eq!(claims(&app).await, Vec::<String>::new());
}
