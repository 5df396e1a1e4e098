//! How often the public routes may be tried.

use keynest_api::middleware::Proxies;
use keynest_api::throttle::ThrottleLimits;
use keynest_domain::Lifetime;
use keynest_domain::limits::{Policy, Quotas};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{answer, log_in, post};
use crate::app::TestApp;
use crate::person::{PASSWORD, Person, registration};

async fn throttled(pool: PgPool) -> TestApp {
    limited(pool, Quotas::default()).await
}

/// Behind a proxy, so that a test can call from anywhere.
pub async fn limited(pool: PgPool, quotas: Quotas) -> TestApp {
    let mut builder = TestApp::builder(pool);
    builder.settings.throttles = ThrottleLimits { quotas, ..ThrottleLimits::default() };
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    builder.edge.proxies = Proxies { trusted, ..Proxies::default() };
    builder.start().await
}

pub async fn try_to_sign_in(app: &TestApp, address: &str, email: &str) -> Response {
    let body = json!({"email": email, "password": "wrong guess"});
    let request = app.post("/api/auth/login/").json(&body).header("X-Forwarded-For", address);
    request.send().await.unwrap()
}

/// `r` and `t` of a policy in the `RateLimit` field, read as the structured list that it is.
pub fn standing(response: &Response, policy: &str) -> (u32, u32) {
    let field = response.headers()["ratelimit"].to_str().unwrap();
    let item = field.split(", ").find_map(|it| it.strip_prefix(&format!("\"{policy}\";")));
    let item = item.unwrap_or_else(|| panic!("no {policy} in {field}"));
    let (r, t) = item.strip_prefix("r=").unwrap().split_once(";t=").unwrap();
    (r.parse().unwrap(), t.parse().unwrap())
}

#[sqlx::test(migrations = false)]
async fn d33_a_fourth_registration_in_a_minute_is_429_with_a_time(pool: PgPool) {
    let app = throttled(pool).await;
    for n in 0..3 {
        assert_eq!(
            post(&app, "/api/auth/register/", registration(&format!("ann_{n}"))).await.0,
            201
        );
    }
    let response =
        app.post("/api/auth/register/").json(&registration("late")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let wait: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[sqlx::test(migrations = false)]
async fn d33_routes_do_not_share_their_budget(pool: PgPool) {
    let app = throttled(pool).await;
    let activate = json!({"uid": "1", "token": "x"});
    for _ in 0..5 {
        assert_eq!(post(&app, "/api/auth/activate/", activate.clone()).await.0, 400);
    }
    assert_eq!(post(&app, "/api/auth/activate/", activate).await.0, 429);
    let login = json!({"email": "nobody@example.com", "password": "wrong guess"});
    assert_eq!(post(&app, "/api/auth/login/", login).await.0, 400);
}

#[sqlx::test(migrations = false)]
async fn d33_a_sixth_reset_in_an_hour_is_429(pool: PgPool) {
    let app = throttled(pool).await;
    for n in 0..5 {
        let body = json!({"email": format!("nobody_{n}@example.com")});
        assert_eq!(post(&app, "/api/auth/password-reset/", body).await.0, 200);
    }
    app.clock.advance(Lifetime::from_minutes(2));
    let body = json!({"email": "nobody@example.com"});
    let (status, told) = post(&app, "/api/auth/password-reset/", body).await;
    assert_eq!((status, &told["violated-policies"]), (429, &json!(["password_reset"])));
}

#[sqlx::test(migrations = false)]
async fn the_counters_are_true_for_known_and_unknown_accounts_alike(pool: PgPool) {
    let app = limited(pool, Quotas::none().with(Policy::Auth, 5)).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_minutes(5));
    for (address, email) in [("192.0.2.1", &*ann.email), ("192.0.2.2", "nobody@example.com")] {
        for remaining in [4, 3, 2, 1, 0] {
            let tried = try_to_sign_in(&app, address, email).await;
            assert_eq!(tried.status(), 400, "{email}");
            assert_eq!(tried.headers()["ratelimit-policy"], "\"auth\";q=5;w=60");
            assert_eq!(standing(&tried, "auth").0, remaining, "{email}");
            assert_eq!(tried.headers()["x-ratelimit-remaining"], remaining.to_string());
            assert_eq!(tried.headers()["x-ratelimit-limit"], "5");
        }
        let refused = try_to_sign_in(&app, address, email).await;
        let (left, wait) = standing(&refused, "auth");
        let retry: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert_eq!((refused.status().as_u16(), left), (429, 0), "{email}");
        assert!((1..=60).contains(&wait) && retry >= wait, "{retry} {wait}");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(
            (&told["code"], &told["violated-policies"]),
            (&json!("throttled"), &json!(["auth"]))
        );
        assert!(told["type"].as_str().unwrap().ends_with("#quota-exceeded"), "{told}");
        app.clock.advance(Lifetime::from_secs(wait));
        assert_ne!(
            try_to_sign_in(&app, address, email).await.headers()["ratelimit"],
            "\"auth\";r=0;t=60"
        );
    }
}

#[sqlx::test(migrations = false)]
async fn every_spelling_of_an_address_and_every_address_of_a_64_is_one_caller(pool: PgPool) {
    let app = limited(pool, Quotas::none().with(Policy::Auth, 5).with(Policy::SignIn, 5)).await;
    let mut statuses = Vec::new();
    for n in 0..7 {
        let address = format!("2001:db8:0:1:{n:x}::{n:x}");
        let email = format!("somebody_{n}@example.com");
        statuses.push(try_to_sign_in(&app, &address, &email).await.status().as_u16());
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429, 429], "the /64");
    // The pair of account and client counts over routes, and over all spellings.
    let app = app.beside(Quotas::none().with(Policy::SignIn, 5)).await;
    let variants = [
        "Nobody@Example.com",
        " nobody@example.com",
        "NOBODY@EXAMPLE.COM",
        "nobody@Example.COM ",
        "nobody@example.com",
    ];
    for variant in variants {
        assert_eq!(try_to_sign_in(&app, "192.0.2.9", variant).await.status(), 400, "{variant}");
    }
    for (path, body) in [
        ("/api/auth/login/", json!({"email": "nObody@example.com", "password": "wrong guess"})),
        ("/api/auth/password-reset/", json!({"email": "nobody@example.com"})),
        ("/api/auth/activation/resend/", json!({"email": "nobody@example.com"})),
    ] {
        let request = app.post(path).json(&body).header("X-Forwarded-For", "192.0.2.9");
        let (status, told) = answer(request).await;
        assert_eq!((status, &told["violated-policies"]), (429, &json!(["sign_in"])), "{path}");
    }
    let dotted = try_to_sign_in(&app, "192.0.2.9", "nobody@example.com.").await;
    assert_eq!(dotted.status(), 400, "a trailing dot is no address");
    let elsewhere = try_to_sign_in(&app, "192.0.2.10", "nobody@example.com").await;
    assert_eq!(standing(&elsewhere, "sign_in").0, 4, "another client has its own");
}

#[sqlx::test(migrations = false)]
async fn public_reads_share_one_budget_of_each_client(pool: PgPool) {
    let app = limited(pool, Quotas::none().with(Policy::Anonymous, 3)).await;
    let read = async |path: &str, from: &str| {
        app.get(path).header("X-Forwarded-For", from).send().await.unwrap()
    };
    let (status, config) = ("/api/auth/status/", "/api/auth/config/");
    for (path, left) in [(status, 2), (config, 1), (status, 0)] {
        let answer = read(path, "192.0.2.1").await;
        assert_eq!((answer.status().as_u16(), standing(&answer, "anonymous").0), (200, left));
        assert_eq!(answer.headers()["ratelimit-policy"], "\"anonymous\";q=3;w=3600");
    }
    let refused = read(config, "192.0.2.1").await;
    let wait = standing(&refused, "anonymous").1;
    assert_eq!(refused.status(), 429);
    let now = app.clock.now().seconds() + i64::from(wait);
    let reset: i64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert!((now - 2..=now).contains(&reset), "{reset} {now}");
    assert_eq!(refused.headers()["x-ratelimit-window"], "3600");
    assert_eq!(standing(&read(config, "192.0.2.2").await, "anonymous").0, 2);
    app.clock.advance(Lifetime::from_secs(wait));
    assert_eq!(read(config, "192.0.2.1").await.status(), 200);
}

#[sqlx::test(migrations = false)]
async fn two_processes_share_one_budget_where_it_matters(pool: PgPool) {
    let quotas = Quotas::none().with(Policy::Auth, 5);
    let first = limited(pool, quotas).await;
    let second = first.beside(quotas).await;
    let (mut within, mut refused) = (0, 0);
    let tries: Vec<_> = (0..64)
        .map(|n| {
            let app = if n % 2 == 0 { &first } else { &second };
            let body = json!({"email": format!("s{n}@example.com"), "password": "wrong guess"});
            let request = app.post("/api/auth/login/").json(&body);
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    for tried in tries {
        match tried.await.unwrap() {
            400 => within += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((within, refused), (5, 59));
}

async fn change(app: &TestApp, caller: &Person, path: &str, limits: Value) -> (u16, Value) {
    let request = app.as_person(caller, Method::PATCH, path);
    answer(request.json(&json!({ "limits": limits }))).await
}

#[sqlx::test(migrations = false)]
async fn administrators_change_limits_and_every_process_follows(pool: PgPool) {
    let quotas = Quotas::none().with(Policy::Auth, 5).with(Policy::Organization, 1_000);
    let app = limited(pool, quotas).await;
    let ann = app.register_active("ann").await;
    let path = "/api/admin/limits/";
    let wish = json!({"auth": {"quota": 2, "window_seconds": 60}});
    assert_eq!(change(&app, &ann, path, wish.clone()).await.0, 403, "not an administrator");
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let address = keynest_domain::Email::parse(&ann.email).unwrap();
    app.app.commands.grant_administrator(&origin, address).await.unwrap();
    let second = app.beside(quotas).await;
    let (status, told) = change(&app, &ann, path, wish).await;
    assert_eq!(status, 200, "{told}");
    let auth = told["limits"].as_array().unwrap().iter().find(|it| it["policy"] == "auth").unwrap();
    assert_eq!(
        (&auth["quota"], &auth["is_changed"], &auth["configured_quota"]),
        (&json!(2), &json!(true), &json!(5))
    );
    let followed = async {
        while second.app.throttle.changed().changed(Policy::Auth, None).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), followed).await.unwrap();
    for app in [&app, &second] {
        let tried = try_to_sign_in(app, "192.0.2.77", "nobody@example.com").await;
        assert_eq!(tried.headers()["ratelimit-policy"], "\"auth\";q=2;w=60");
    }
    assert_eq!(try_to_sign_in(&second, "192.0.2.77", "nobody@example.com").await.status(), 429);
    for (limits, why) in [
        (json!({"nonsense": null}), "an unknown policy"),
        (json!({"auth": {"quota": 1, "window_seconds": 0}}), "no window"),
        (json!({"invitations": {"quota": 501, "window_seconds": 60}}), "too many"),
    ] {
        assert_eq!(change(&app, &ann, path, limits).await.0, 400, "{why}");
    }
    let (status, told) = change(&app, &ann, path, json!({"auth": null})).await;
    assert_eq!(status, 200, "{told}");
    let tried = try_to_sign_in(&app, "192.0.2.78", "nobody@example.com").await;
    assert_eq!(tried.headers()["ratelimit-policy"], "\"auth\";q=5;w=60");
}

#[sqlx::test(migrations = false)]
async fn one_organization_can_have_limits_of_its_own(pool: PgPool) {
    let quotas = Quotas::none().with(Policy::Organization, 1_000);
    let app = limited(pool, quotas).await;
    let ann = app.register_active("ann").await;
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let address = keynest_domain::Email::parse(&ann.email).unwrap();
    app.app.commands.grant_administrator(&origin, address).await.unwrap();
    // Its creation is a call that reaches it as well.
    let make = async |name: &str| {
        let made = app.make(&ann, "organizations/", json!({ "name": name })).await.expect(201);
        made.id()
    };
    let (acme, other) = (make("Acme").await, make("Other").await);
    let path = format!("/api/admin/organizations/{acme}/limits/");
    let user = json!({"user": {"quota": 1, "window_seconds": 60}});
    assert_eq!(change(&app, &ann, &path, user).await.0, 400, "not per organization");
    let few = json!({"organization": {"quota": 3, "window_seconds": 60}, "invitations": {"quota": 1, "window_seconds": 86_400}});
    let (status, told) = change(&app, &ann, &path, few).await;
    assert_eq!((status, told["limits"].as_array().unwrap().len()), (200, 2), "{told}");
    let invite = async |organization: i64, local: &str| {
        let path = format!("organizations/{organization}/invite_member/");
        let body = json!({"email": format!("{local}@example.com")});
        app.make(&ann, &path, body).await
    };
    invite(acme, "one").await.expect(201);
    let refused = invite(acme, "two").await.expect(429).body;
    assert_eq!(refused["violated-policies"], json!(["invitations"]));
    let refused = app.read(&ann, &format!("organizations/{acme}/")).await.expect(429).body;
    assert_eq!(refused["violated-policies"], json!(["organization"]));
    invite(other, "one").await.expect(201);
    invite(other, "two").await.expect(201);
    app.read(&ann, &format!("organizations/{other}/")).await.expect(200);
}

#[sqlx::test(migrations = false)]
async fn api6_an_address_gets_three_reset_mails_an_hour_and_an_organization_invites_fifty_a_day(
    pool: PgPool,
) {
    let app = limited(pool, Quotas::none()).await;
    let ann = app.register_active("ann").await;
    for minute in 0..8 {
        app.clock.advance(Lifetime::from_minutes(2));
        let body =
            json!({"email": if minute % 2 == 0 { "ann@example.com" } else { "Ann@Example.com" }});
        assert_eq!(post(&app, "/api/auth/password-reset/", body).await.0, 200);
        app.deliver().await;
    }
    let resets =
        app.deliver().await.into_iter().filter(|mail| mail.body_text.contains("/reset-password/"));
    assert_eq!(resets.count(), 3);
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 200);
    let ann = app.sign_in("ann").await;
    let acme = app.make(&ann, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    let path = format!("organizations/{acme}/invite_member/");
    for n in 0..50 {
        app.make(&ann, &path, json!({"email": format!("g{n}@example.com")})).await.expect(201);
    }
    let refused = app.make(&ann, &path, json!({"email": "g50@example.com"})).await.expect(429).body;
    assert_eq!(refused["violated-policies"], json!(["invitations"]));
    let invited = app.deliver().await.into_iter().filter(|mail| mail.recipient.starts_with('g'));
    assert_eq!(invited.count(), 50);
}
