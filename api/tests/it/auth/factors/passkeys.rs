//! Passkeys with a software authenticator: as second factor, alone, and misused.

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Authenticator, question, reply, signed};
use crate::app::TestApp;
use crate::auth::calls::{logged, post, profile_status};
use crate::person::Person;

pub async fn enrol(app: &TestApp, person: &Person, key: &mut Authenticator) -> (u16, Value) {
    let path = "/api/auth/factors/passkeys/";
    let (status, begun) = signed(app, &person.access, &format!("{path}options/"), json!({})).await;
    assert_eq!(status, 200, "{begun}");
    let made = key.create(&begun["options"]);
    let body = json!({ "challenge": begun["challenge"], "passkey": made, "name": "laptop" });
    signed(app, &person.access, path, body).await
}

pub async fn begin(app: &TestApp) -> Value {
    let (status, begun) = post(app, "/api/auth/login/passkey/options/", json!({})).await;
    assert_eq!(status, 200, "{begun}");
    begun
}

pub async fn finish(app: &TestApp, begun: &Value, passkey: Value) -> (u16, Value) {
    let body = json!({ "challenge": begun["challenge"], "passkey": passkey });
    post(app, "/api/auth/login/passkey/", body).await
}

/// Signs in with a passkey alone.
pub async fn sign_in(app: &TestApp, key: &mut Authenticator) -> (u16, Value) {
    let begun = begin(app).await;
    finish(app, &begun, key.get(&begun["options"])).await
}

fn refused(told: &(u16, Value)) -> bool {
    told.0 == 400 && told.1["code"] == "passkey_refused"
}

#[sqlx::test(migrations = false)]
async fn a_passkey_signs_in_alone_and_as_the_second_factor(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let mut key = Authenticator::new("ann's laptop");
    let (status, told) = enrol(&app, &ann, &mut key).await;
    assert_eq!(status, 201, "{told}");
    assert_eq!(told["recovery_codes"].as_array().unwrap().len(), 10);
    let begun = begin(&app).await;
    let (status, told) = finish(&app, &begun, key.get(&begun["options"])).await;
    assert_eq!((status, &told["user"]["id"]), (200, &json!(ann.id)), "{told}");
    assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
    let asked = question(&app, &ann).await;
    assert_eq!(asked["factors"], json!(["passkey", "recovery_code"]));
    let signed = key.get(&asked["passkey_options"]);
    assert_eq!(reply(&app, &asked, "passkey", signed).await.0, 200);
    assert_eq!(logged(&app, "user.passkey_used").await, 2);
}

#[sqlx::test(migrations = false)]
async fn a_ceremony_is_finished_once_and_in_time(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let mut key = Authenticator::new("ann's laptop");
    enrol(&app, &ann, &mut key).await;
    let begun = begin(&app).await;
    let first = key.get(&begun["options"]);
    assert_eq!(finish(&app, &begun, first.clone()).await.0, 200);
    assert!(refused(&finish(&app, &begun, first).await), "the same bytes again");
    let again = finish(&app, &begun, key.get(&begun["options"])).await;
    assert_eq!(again.1["code"], "challenge_not_valid", "another signature for a used challenge");
    let (begun, other) = (begin(&app).await, begin(&app).await);
    assert!(
        refused(&finish(&app, &begun, key.get(&other["options"])).await),
        "another's challenge"
    );
    app.clock.advance(Lifetime::from_minutes(5));
    let late = finish(&app, &begun, key.get(&begun["options"])).await;
    assert_eq!(late.1["code"], "challenge_not_valid");
}

#[sqlx::test(migrations = false)]
async fn copies_other_sites_and_unverified_holders_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let mut key = Authenticator::new("ann's laptop");
    enrol(&app, &ann, &mut key).await;
    let before = logged(&app, "session.started").await;
    for counter in [0, 1, 2] {
        let begun = begin(&app).await;
        key.counter = counter;
        let told = finish(&app, &begun, key.get(&begun["options"])).await;
        let is_behind = counter == 0;
        assert_eq!(refused(&told), is_behind, "{counter}: {told:?}");
        key.counter = 0;
        let begun = begin(&app).await;
        assert!(refused(&finish(&app, &begun, key.get(&begun["options"])).await), "a copy");
    }
    key.counter = 100;
    key.origin = "https://localhost.evil.example";
    let begun = begin(&app).await;
    assert!(refused(&finish(&app, &begun, key.get(&begun["options"])).await), "another origin");
    key.origin = "http://localhost:8000";
    key.site = Some("evil.example");
    let begun = begin(&app).await;
    assert!(refused(&finish(&app, &begun, key.get(&begun["options"])).await), "another site");
    key.site = None;
    key.verifies = false;
    let begun = begin(&app).await;
    assert!(refused(&finish(&app, &begun, key.get(&begun["options"])).await), "not verified");
    key.verifies = true;
    let mut stranger = Authenticator::new("ann's laptop");
    let begun = begin(&app).await;
    stranger.counter = 200;
    assert!(refused(&finish(&app, &begun, stranger.get(&begun["options"])).await), "another key");
    assert_eq!(logged(&app, "session.started").await, before + 2);
}

#[sqlx::test(migrations = false)]
async fn an_enrolment_is_the_callers_own_and_a_credential_is_nobody_elses(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let path = "/api/auth/factors/passkeys/";
    let (_, begun) = signed(&app, &ann.access, &format!("{path}options/"), json!({})).await;
    let mut key = Authenticator::new("one key");
    let made = key.create(&begun["options"]);
    let body = json!({ "challenge": begun["challenge"], "passkey": made, "name": "laptop" });
    assert_eq!(
        signed(&app, &bob.access, path, body.clone()).await.1["code"],
        "challenge_not_valid"
    );
    assert_eq!(signed(&app, &ann.access, path, body.clone()).await.0, 201);
    assert_eq!(signed(&app, &ann.access, path, body).await.1["code"], "passkey_refused");
    let mut same_id = Authenticator::new("one key");
    assert!(refused(&enrol(&app, &bob, &mut same_id).await), "another account's credential id");
    let mut elsewhere = Authenticator::new("elsewhere");
    elsewhere.origin = "https://evil.example";
    assert!(refused(&enrol(&app, &bob, &mut elsewhere).await));
    let mut unverified = Authenticator::new("unverified");
    unverified.verifies = false;
    assert!(refused(&enrol(&app, &bob, &mut unverified).await));
    assert_eq!(logged(&app, "user.passkey_enrolled").await, 1);
}

#[sqlx::test(migrations = false)]
async fn a_passkey_confirms_the_session_without_a_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let mut key = Authenticator::new("ann's laptop");
    enrol(&app, &ann, &mut key).await;
    app.clock.advance(Lifetime::from_minutes(5));
    let offer = "/api/auth/factors/totp/";
    assert_eq!(signed(&app, &ann.access, offer, json!({})).await.0, 403);
    let path = "/api/auth/reauthenticate/";
    let (_, begun) = signed(&app, &ann.access, &format!("{path}options/"), json!({})).await;
    let body = json!({ "challenge": begun["challenge"], "passkey": key.get(&begun["options"]) });
    assert_eq!(signed(&app, &ann.access, path, body.clone()).await.0, 200);
    assert_eq!(signed(&app, &ann.access, path, body).await.0, 400, "once");
    assert_eq!(signed(&app, &ann.access, offer, json!({})).await.0, 200);
}
