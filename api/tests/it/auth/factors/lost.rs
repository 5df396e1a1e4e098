//! Everything lost: the operator takes the factors away. And whoever leaves leaves no passkey behind.

use keynest_commands::user::{EraseUser, Footprint};
use keynest_commands::{CommandError, Origin};
use keynest_domain::{Email, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::passkeys::enrol;
use super::{Authenticator, guarded, question, reply};
use crate::app::TestApp;
use crate::auth::calls::{can_log_in, log_in, logged, post, profile_status, refresh};
use crate::person::{PASSWORD, Person};

fn operator(app: &TestApp) -> Origin {
    Origin::product(app.clock.request_id())
}

/// Whether anything was appended.
async fn reset(app: &TestApp, email: &str) -> Result<bool, CommandError> {
    let address = Email::parse(email).unwrap();
    let done = app.app.commands.reset_factors(&operator(app), address).await?;
    app.app.revocations.wait_for(done.position).await;
    app.catch_up().await;
    Ok(done.position.is_some())
}

async fn passkey_claims(pool: &PgPool) -> i64 {
    let found = sqlx::query_scalar("select count(*) from store.claims where key like 'passkey%'");
    found.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn the_operator_puts_an_account_back_to_its_password(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let ann = guarded(&app, "ann").await;
    let mut key = Authenticator::new("ann's laptop");
    assert_eq!(enrol(&app, &ann.person, &mut key).await.0, 201);
    let (token, _) = app.token(&ann.person, json!({ "everywhere": true })).await;
    let asked = question(&app, &ann.person).await;
    assert_eq!(passkey_claims(&pool).await, 1);

    assert!(reset(&app, "ann@example.com").await.unwrap());
    assert_eq!(profile_status(&app, &ann.person.access).await, 401, "her sessions have ended");
    assert_eq!(refresh(&app, &ann.person.refresh).await.0, 400);
    for (field, proof) in [
        ("code", json!(ann.code(&app))),
        ("recovery_code", json!(ann.codes[0])),
        ("passkey", key.get(&asked["passkey_options"])),
    ] {
        let (status, told) = reply(&app, &asked, field, proof).await;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!("challenge_not_valid")),
            "{field}: {told}"
        );
    }
    let (status, told) = log_in(&app, "ann@example.com", PASSWORD).await;
    assert_eq!(status, 200, "the password alone: {told}");
    let ann = Person { access: told["access"].as_str().unwrap().to_owned(), ..ann.person.clone() };
    let listed = app.read(&ann, "/api/auth/factors/").await.expect(200).body;
    assert_eq!(listed["results"], json!([]));
    app.read(&token, "projects/").await.expect(200);
    let mail = app.mail_to("ann@example.com").await;
    assert!(mail.subject.contains("second factors"), "{}", mail.subject);
    let rows = app.read(&ann, "audit-logs/?action=factors_reset").await.expect(200).body;
    assert_eq!(
        (&rows["count"], &rows["results"][0]["details"]["count"]),
        (&json!(1), &json!(2)),
        "{rows:#}"
    );
    assert_eq!(rows["results"][0]["user"], Value::Null, "nobody who is signed in did it: {rows:#}");

    // The key that she finds again is free, for her or for whoever has it now.
    assert_eq!(passkey_claims(&pool).await, 0);
    let begun = post(&app, "/api/auth/login/passkey/options/", json!({})).await.1;
    let body = json!({ "challenge": begun["challenge"], "passkey": key.get(&begun["options"]) });
    assert_eq!(post(&app, "/api/auth/login/passkey/", body).await.0, 400, "it signs nobody in");
    assert_eq!(enrol(&app, &ann, &mut key).await.0, 201);
}

#[sqlx::test(migrations = false)]
async fn resetting_again_and_resetting_nobody_do_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let bob = app.register_active("bob").await;
    assert!(matches!(reset(&app, "eve@example.com").await, Err(CommandError::Absent(_))));
    assert!(!reset(&app, "bob@example.com").await.unwrap());
    assert_eq!(profile_status(&app, &bob.access).await, 200, "he had nothing to lose");
    assert!(reset(&app, "ann@example.com").await.unwrap());
    assert!(!reset(&app, "ann@example.com").await.unwrap());
    assert_eq!(logged(&app, "user.factors_reset").await, 1);
    assert!(can_log_in(&app, &ann.person).await);
}

#[sqlx::test(migrations = false)]
async fn an_erased_persons_passkey_is_free_again(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let ann = app.register_active("ann").await;
    let bob = app.register_active("bob").await;
    let mut key = Authenticator::new("a shared key");
    assert_eq!(enrol(&app, &ann, &mut key).await.0, 201);
    let mut spare = Authenticator::new("a spare key");
    assert_eq!(enrol(&app, &ann, &mut spare).await.0, 201);
    assert_eq!(enrol(&app, &bob, &mut key).await.0, 400, "it is Ann's");
    assert_eq!(passkey_claims(&pool).await, 2);
    let wish = EraseUser { user: UserId::new(ann.id), footprint: Footprint::default() };
    app.app.commands.erase_user(&operator(&app), wish).await.unwrap();
    assert_eq!(passkey_claims(&pool).await, 0);
    assert_eq!(enrol(&app, &bob, &mut key).await.0, 201);
}

/// One factor less is not none: what is asked for stays asked for.
#[sqlx::test(migrations = false)]
async fn removing_a_passkey_frees_it_and_leaves_the_rest(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let ann = guarded(&app, "ann").await;
    let mut key = Authenticator::new("ann's laptop");
    let (_, made) = enrol(&app, &ann.person, &mut key).await;
    let path = format!("/api/auth/factors/{}/", made["id"].as_str().unwrap());
    app.call(Some(&ann.person), Method::DELETE, &path, Value::Null).await.expect(204);
    assert_eq!(passkey_claims(&pool).await, 0);
    assert_eq!(question(&app, &ann.person).await["factors"], json!(["totp", "recovery_code"]));
}
