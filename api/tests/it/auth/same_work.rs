//! Nobody learns from the work that is done whether an address has an account (D27, THREATS A7): hashes and appends
//! are counted, not measured.

use keynest_domain::Lifetime;
use keynest_store::Position;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::post;
use crate::app::TestApp;
use crate::person::{Person, registration};

/// What one call made the product do.
#[derive(Debug, PartialEq, Eq)]
struct Work {
    status: u16,
    hashes: u64,
    appends: usize,
}

async fn commands(app: &TestApp) -> usize {
    let log = app.app.commands.store().read_all(Position::START, 100_000).await.unwrap();
    let ids: std::collections::HashSet<_> = log.iter().map(|event| event.command_id).collect();
    ids.len()
}

async fn work(app: &TestApp, path: &str, body: Value) -> Work {
    let (hashes, appends) = (app.app.commands.hashes(), commands(app).await);
    let (status, _) = post(app, path, body).await;
    Work {
        status,
        hashes: app.app.commands.hashes() - hashes,
        appends: commands(app).await - appends,
    }
}

/// An active and a waiting account; whoever else is asked for has none.
async fn world(pool: PgPool) -> (TestApp, Person) {
    let app = TestApp::start(pool).await;
    assert_eq!(post(&app, "/api/auth/register/", registration("waiting")).await.0, 201);
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_hours(2));
    (app, ann)
}

#[sqlx::test(migrations = false)]
async fn d27_every_address_costs_the_same_hashes_and_appends(pool: PgPool) {
    let (app, _) = world(pool).await;
    let addresses = ["nobody@example.com", "waiting@example.com", "ann@example.com"];
    type Body = fn(&str, usize) -> Value;
    let rows: [(&str, u16, u64, Body); 4] = [
        ("/api/auth/register/", 201, 1, |email, n| {
            let mut body = registration(&format!("stranger_{n}"));
            body["email"] = json!(email);
            body
        }),
        ("/api/auth/login/", 400, 1, |email, _| json!({"email": email, "password": "wrong guess"})),
        ("/api/auth/password-reset/", 200, 0, |email, _| json!({ "email": email })),
        ("/api/auth/activation/resend/", 200, 0, |email, _| json!({ "email": email })),
    ];
    // The last row first, since a registration makes the unknown address known.
    for (path, status, hashes, body) in rows.into_iter().rev() {
        // What is asked a second time within the minute sends nothing, and costs the same still.
        for round in 0..2 {
            let mut done = Vec::new();
            for (n, address) in addresses.into_iter().enumerate() {
                let address = match (path, round) {
                    ("/api/auth/register/", 1) if n == 0 => "nobody_else@example.com",
                    _ => address,
                };
                done.push(work(&app, path, body(address, round * 10 + n)).await);
            }
            let first = &done[0];
            assert_eq!((first.status, first.hashes, first.appends), (status, hashes, 1), "{path}");
            assert!(done.iter().all(|it| it == first), "{path}, round {round}: {done:#?}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn d27_an_invitation_costs_the_same_for_every_address(pool: PgPool) {
    let (app, _) = world(pool).await;
    let ann = app.sign_in("ann").await;
    let acme = app.make(&ann, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    let path = format!("organizations/{acme}/invite_member/");
    let mut done = Vec::new();
    for email in ["nobody@example.com", "waiting@example.com"] {
        let before = commands(&app).await;
        let told = app.make(&ann, &path, json!({ "email": email })).await.expect(201).body;
        let fields: Vec<String> = told.as_object().unwrap().keys().cloned().collect();
        done.push((commands(&app).await - before, fields));
    }
    assert_eq!(done[0], done[1]);
    assert_eq!(done[0].0, 1);
}
