//! Guesses from many networks, on many processes: the account's lock holds everywhere, and is no weapon against its owner
//! (THREATS A6, A9).

use std::net::SocketAddr;

use keynest_api::middleware::Proxies;
use keynest_domain::login::FAILURES_MAX;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{MANY, logged, race};
use crate::app::TestApp;
use crate::person::PASSWORD;

/// Where the owner signs in from.
const HOME: &str = "192.0.2.10";

/// Behind a proxy, so that a test can call from anywhere.
async fn behind_a_proxy(pool: PgPool, spraying_accounts: u32) -> TestApp {
    let mut builder = TestApp::builder(pool);
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    builder.edge.proxies = Proxies { trusted, ..Proxies::default() };
    builder.commands.spraying_accounts = spraying_accounts;
    builder.start().await
}

async fn try_at(
    (client, process): (&Client, SocketAddr),
    from: &str,
    email: &str,
    password: &str,
) -> Response {
    let request = client.post(format!("http://{process}/api/auth/login/"));
    let body = json!({"email": email, "password": password});
    request.header("X-Forwarded-For", from).json(&body).send().await.unwrap()
}

/// A network of its own for each number.
fn network(n: usize) -> String {
    format!("198.{}.{}.7", 18 + n / 250 % 2, n % 250)
}

#[sqlx::test(migrations = false)]
async fn a6_guesses_from_many_networks_lock_the_account_on_every_process(pool: PgPool) {
    let app = behind_a_proxy(pool, 0).await;
    let ann = app.register_active("ann").await;
    let second = app.replica().await;
    let (client, processes) = (&app.client, [app.address, second.address]);
    for n in 0..FAILURES_MAX as usize {
        let tried =
            try_at((client, processes[n % 2]), &network(n), &ann.email, "wrong guess").await;
        assert_eq!(tried.status(), 400, "guess {n}");
    }
    let hashes = || app.app.commands.hashes() + second.app.commands.hashes();
    let before = hashes();
    for n in 100..108 {
        let at = (client, processes[n % 2]);
        for password in ["wrong guess", PASSWORD] {
            let locked = try_at(at, &network(n), &ann.email, password).await;
            assert_eq!(locked.status(), 429);
            let told: Value = locked.json().await.unwrap();
            assert_eq!(told["code"], "locked_out");
        }
    }
    assert_eq!(hashes(), before, "a locked account costs no hash");
    assert_eq!(logged(&app, "login.failed").await, FAILURES_MAX as usize);
}

#[sqlx::test(migrations = false)]
async fn a6_of_64_guesses_at_once_on_two_processes_five_are_answered(pool: PgPool) {
    let app = behind_a_proxy(pool, 0).await;
    let ann = app.register_active("ann").await;
    let second = app.replica().await;
    let (client, email) = (app.client.clone(), ann.email.clone());
    let processes = [app.address, second.address];
    let statuses = race(move |n| {
        let (client, email) = (client.clone(), email.clone());
        async move {
            let at = (&client, processes[n % 2]);
            try_at(at, &network(n), &email, "wrong guess").await.status().as_u16()
        }
    })
    .await;
    let answered = statuses.iter().filter(|status| **status == 400).count();
    let locked = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((answered, locked), (FAILURES_MAX as usize, MANY - FAILURES_MAX as usize));
}

#[sqlx::test(migrations = false)]
async fn a9_a_lock_out_is_no_weapon_on_any_process(pool: PgPool) {
    let app = behind_a_proxy(pool, 0).await;
    let ann = app.register_active("ann").await;
    let second = app.replica().await;
    let (client, processes) = (&app.client, [app.address, second.address]);
    assert_eq!(try_at((client, app.address), HOME, &ann.email, PASSWORD).await.status(), 200);
    // A thousand tries, of which the lock hears a few.
    for n in 0..1_000 {
        let at = (client, processes[n % 2]);
        let tried = try_at(at, &network(n), &ann.email, "wrong guess").await.status().as_u16();
        assert!(matches!(tried, 400 | 429), "{tried}");
    }
    for process in processes {
        let stranger = try_at((client, process), "203.0.113.1", &ann.email, PASSWORD).await;
        assert_eq!(stranger.status(), 429, "the lock stands");
        for from in [HOME, "192.0.2.99", "::ffff:192.0.2.10"] {
            let owner = try_at((client, process), from, &ann.email, PASSWORD).await;
            assert_eq!(owner.status(), 200, "{from} on {process}");
        }
    }
    // Nor is the owner's own network a way around it.
    for n in 0..FAILURES_MAX as usize {
        let at = (client, processes[n % 2]);
        assert_eq!(try_at(at, "192.0.2.77", &ann.email, "wrong guess").await.status(), 400);
    }
    for process in processes {
        let neighbour = try_at((client, process), "192.0.2.77", &ann.email, PASSWORD).await;
        assert_eq!(neighbour.status(), 429);
        let owner = try_at((client, process), HOME, &ann.email, PASSWORD).await;
        assert_eq!(owner.status(), 200, "the owner's very address counts apart");
    }
}

#[sqlx::test(migrations = false)]
async fn a6_spraying_is_told_once_and_refused_to_nobody(pool: PgPool) {
    let app = behind_a_proxy(pool, 8).await;
    let ann = app.register_active("ann").await;
    let at = (&app.client, app.address);
    for n in 0..30 {
        let email = if n == 3 { ann.email.clone() } else { format!("somebody_{n}@example.com") };
        assert_eq!(try_at(at, &network(n), &email, "Summer2026!").await.status(), 400, "{n}");
        let told = logged(&app, "refusals.access_refused").await;
        assert_eq!(told, usize::from(n >= 7), "after {n}");
    }
    let log = app.app.commands.store().read_all(keynest_store::Position::START, 10_000).await;
    let told = log.unwrap().into_iter().find(|it| &*it.name == "refusals.access_refused").unwrap();
    let data: Value = serde_json::from_slice(&told.data).unwrap();
    assert_eq!((&data["code"], &data["object"]), (&json!("password_spraying"), &json!("8")));
    assert!(told.metadata.client.is_none() && told.metadata.actor.is_none(), "of nobody");
    assert_eq!(try_at(at, &network(200), &ann.email, PASSWORD).await.status(), 200);
}
