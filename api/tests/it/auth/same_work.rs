//! Nobody learns from the work that is done whether an address has an account (D27, THREATS A7): hashes, statements and
//! appends are counted, not measured. What is compared is compared on a process that knows everybody, and on one that has
//! just begun and knows nobody.

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::post;
use super::deed::{Deed, Witness, assert_same};
use super::factors::guarded;
use crate::app::TestApp;
use crate::person::{Person, registration};

/// Whoever may be asked for: nobody, somebody who has not confirmed, somebody, somebody with a second factor, somebody
/// whose account is closed.
const ADDRESSES: [&str; 5] = ["new", "off", "ann", "tom", "bob"];

/// An account of each kind, with their ids.
async fn world(pool: PgPool) -> (TestApp, Vec<i64>) {
    let app = TestApp::start(pool).await;
    let waiting = post(&app, "/api/auth/register/", registration("off")).await;
    assert_eq!(waiting.0, 201);
    let ann = app.register_active("ann").await;
    let tom = guarded(&app, "tom").await.person;
    let bob = close(&app, "bob").await;
    app.clock.advance(Lifetime::from_hours(2));
    (app, vec![ann.id, tom.id, bob.id])
}

/// Somebody whose account is closed.
pub async fn close(app: &TestApp, name: &str) -> Person {
    let closed = app.register_active(name).await;
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let user = keynest_domain::UserId::new(closed.id);
    app.app.commands.deactivate_user(&origin, user).await.unwrap();
    closed
}

/// What is asked for an address, the n-th time.
fn body(path: &str, email: &str, n: usize) -> Value {
    match path {
        "/api/auth/register/" => {
            let mut body = registration(&format!("stranger_{n}"));
            body["email"] = json!(email);
            body
        }
        "/api/auth/login/" => json!({"email": email, "password": "wrong guess"}),
        _ => json!({ "email": email }),
    }
}

/// The same for everybody in each of some rounds, warm and cold.
async fn compare(pool: PgPool, path: &str, expected: (u16, u64, usize), rounds: usize) {
    let (app, ids) = world(pool).await;
    let witness = Witness::new(&app);
    witness.post(path, body(path, "warm@example.com", 99), "warm").await;
    for round in 0..rounds {
        let is_cold = round % 2 == 1;
        let mut deeds: Vec<(String, Deed)> = Vec::new();
        for (n, name) in ADDRESSES.iter().enumerate() {
            // A registration makes an unknown address known.
            let name = if n == 0 { format!("n{round:02}") } else { (*name).to_owned() };
            let (email, n) = (format!("{name}@example.com"), round * 10 + n);
            let wish = body(path, &email, n);
            app.catch_up().await;
            let mut deed = if is_cold {
                let warm_up = body(path, &format!("warm.{n}@example.com"), 100 + n);
                let cold = witness.cold(path, warm_up, &ids).await;
                witness.post_cold(&cold, path, wish, &email).await
            } else {
                witness.post(path, wish, &email).await
            };
            deed.bytes = deed.bytes.replace(&format!("stranger_{n}"), "STRANGER");
            deeds.push((email, deed));
        }
        let first = &deeds[0].1;
        assert_eq!((first.status, first.hashes, first.appends), expected, "{path}: {first:#?}");
        assert!(first.statements.len() > 2, "{first:#?}");
        assert_same(&format!("{path}, round {round}, cold: {is_cold}"), &deeds);
    }
}

#[sqlx::test(migrations = false)]
async fn d27_a_registration_does_the_same_for_every_address(pool: PgPool) {
    compare(pool, "/api/auth/register/", (201, 1, 1), 4).await;
}

#[sqlx::test(migrations = false)]
async fn d27_a_wrong_password_does_the_same_for_every_address(pool: PgPool) {
    compare(pool, "/api/auth/login/", (400, 1, 1), 4).await;
}

#[sqlx::test(migrations = false)]
async fn d27_a_wish_for_a_reset_does_the_same_for_every_address(pool: PgPool) {
    compare(pool, "/api/auth/password-reset/", (200, 0, 1), 4).await;
}

#[sqlx::test(migrations = false)]
async fn d27_a_wish_for_another_activation_does_the_same_for_every_address(pool: PgPool) {
    compare(pool, "/api/auth/activation/resend/", (200, 0, 1), 4).await;
}

#[sqlx::test(migrations = false)]
async fn d27_an_invitation_does_the_same_for_every_address(pool: PgPool) {
    let (app, _) = world(pool).await;
    let host = app.register_active("host").await;
    let acme = app.make(&host, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    let path = format!("/api/core/organizations/{acme}/invite_member/");
    let witness = Witness::new(&app);
    let mut deeds = Vec::new();
    let invite = |email: &str| {
        let request = app.as_person(&host, reqwest::Method::POST, &path);
        request.json(&json!({ "email": email }))
    };
    assert_eq!(invite("warm@example.com").send().await.unwrap().status(), 201);
    for name in ADDRESSES {
        let email = format!("{name}@example.com");
        app.catch_up().await;
        let deed = witness.send(invite(&email), &email).await;
        deeds.push((email, deed));
    }
    assert_eq!((deeds[0].1.status, deeds[0].1.appends), (201, 1));
    assert_same("invite", &deeds);
}
