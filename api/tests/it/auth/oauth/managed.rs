//! Providers that an administrator sets up while everything runs: they hold on every process, and are taken away again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keynest_domain::limits::Quotas;
use keynest_store::Position;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::browser::{Browser, created, exchange, sign_in};
use super::identities::{PATH as IDENTITIES, finish, link_code, list, person};
use super::providers::{CLIENT, SECRET, account, builder, certified, misbehaving, oidc};
use crate::app::TestApp;
use crate::auth::calls::{answer, logged};
use crate::person::Person;

pub const PATH: &str = "/api/admin/providers/";
pub const KEY: &str = "certified";

/// An administrator, and an app that may ask the providers of the tests.
pub async fn administered(pool: PgPool) -> (TestApp, Person) {
    let app = builder(pool, Vec::new()).start().await;
    let ann = app.register_active("ann").await;
    app.grant(&ann).await;
    (app, ann)
}

/// What an administrator sends for a provider of the tests.
pub fn wish(key: &str, issuer: &str) -> Value {
    json!({"key": key, "name": "Our company", "issuer": issuer, "client_id": CLIENT,
        "client_secret": SECRET})
}

pub async fn add(app: &TestApp, by: &Person, wish: &Value) -> (u16, Value) {
    answer(app.as_person(by, Method::POST, PATH).json(wish)).await
}

pub async fn call(app: &TestApp, by: &Person, method: Method, key: &str) -> (u16, Value) {
    answer(app.as_person(by, method, &format!("{PATH}{key}/"))).await
}

async fn change(app: &TestApp, by: &Person, body: Value) -> (u16, Value) {
    answer(app.as_person(by, Method::PATCH, &format!("{PATH}{KEY}/")).json(&body)).await
}

/// Another process knows what is in the log now.
async fn learn(app: &TestApp) {
    let head = app.app.commands.store().head().await.unwrap();
    app.app.providers.wait_for(Some(head)).await;
}

async fn start_status(app: &TestApp) -> u16 {
    app.get(&format!("/api/auth/oauth/{KEY}/start/")).send().await.unwrap().status().as_u16()
}

#[sqlx::test(migrations = false)]
async fn whoever_comes_from_an_added_provider_signs_in_on_every_process(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let running = app.beside(Quotas::none()).await;
    assert_eq!(start_status(&running).await, 404);
    let (status, told) = add(&app, &ann, &wish(KEY, &certified())).await;
    assert_eq!(status, 201, "{told}");
    let shown = json!({
        "key": KEY, "name": "Our company", "issuer": certified(), "client_id": CLIENT,
        "scopes": ["openid", "email", "profile"], "origins": [], "is_configured": false,
        "is_on": true, "added_at": told["added_at"], "changed_at": told["added_at"],
        "redirect_uri": format!("http://localhost:8000/api/auth/oauth/{KEY}/callback/"),
    });
    assert_eq!(told, shown);
    learn(&running).await;
    let started_later = app.beside(Quotas::none()).await;
    for (at, name) in [(&running, "bob"), (&started_later, "cat"), (&app, "dan")] {
        let (status, told) = sign_in(at, KEY, &account(name)).await;
        assert_eq!((status, &told["is_new_user"]), (200, &json!(true)), "{told}");
    }
    let (_, config) = answer(running.get("/api/auth/config/")).await;
    let button = &config["oauth"]["providers"][KEY];
    assert_eq!((&button["name"], &button["client_id"]), (&json!("Our company"), &json!(CLIENT)));
    let (_, listed) = answer(running.as_person(&ann, Method::GET, PATH)).await;
    assert_eq!(listed["providers"], json!([shown]));
    assert_eq!(call(&running, &ann, Method::GET, KEY).await, (200, shown));
}

#[sqlx::test(migrations = false)]
async fn a_change_and_a_removal_hold_on_every_process(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let other = app.beside(Quotas::none()).await;
    add(&app, &ann, &wish(KEY, &certified())).await;
    let (status, told) = change(&app, &ann, json!({"client_secret": "another"})).await;
    assert_eq!(status, 200, "{told}");
    learn(&other).await;
    let refused = Browser::new(&other).travel(KEY, &account("bob")).await;
    assert_eq!(refused, ("error".to_owned(), "oauth_proof_invalid".to_owned()), "the new secret");
    let back = json!({"client_secret": SECRET, "name": "Head office", "key": KEY});
    let (_, told) = change(&app, &ann, back).await;
    assert_eq!((&told["name"], &told["is_on"]), (&json!("Head office"), &json!(true)));
    let (status, told) = change(&app, &ann, json!({"name": "Head office"})).await;
    assert_eq!((status, &told["name"]), (200, &json!("Head office")), "as it is already");
    assert_eq!(logged(&app, "provider.changed").await, 2);
    learn(&other).await;
    let code = Browser::new(&other).code(KEY, &account("bob")).await;
    assert_eq!(call(&app, &ann, Method::DELETE, KEY).await.0, 204);
    // What it proved a moment ago counts no more, wherever it is shown.
    for at in [&other, &app] {
        assert_eq!(exchange(at, &code).await.1["code"], json!("oauth_provider_unknown"));
    }
    learn(&other).await;
    assert_eq!(start_status(&other).await, 404);
    assert_eq!(call(&other, &ann, Method::GET, KEY).await.0, 404);
    assert_eq!(call(&other, &ann, Method::DELETE, KEY).await.0, 404);
    assert_eq!(created(&app).await[0], 1, "the administrator");
}

#[sqlx::test(migrations = false)]
async fn a_code_of_a_removed_provider_is_none_of_its_successors(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    add(&app, &ann, &wish(KEY, &certified())).await;
    let code = Browser::new(&app).code(KEY, &account("bob")).await;
    assert_eq!(call(&app, &ann, Method::DELETE, KEY).await.0, 204);
    assert_eq!(add(&app, &ann, &wish(KEY, &certified())).await.0, 201);
    let (status, told) = exchange(&app, &code).await;
    assert_eq!((status, &told["code"]), (404, &json!("oauth_provider_unknown")));
    assert_eq!(sign_in(&app, KEY, &account("bob")).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn a_process_that_has_not_heard_of_a_removal_signs_nobody_in(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    add(&app, &ann, &wish(KEY, &certified())).await;
    // It knows the provider, and hears nothing any more.
    let deaf = app.replica().await;
    let stop = CancellationToken::new();
    stop.cancel();
    deaf.app.providers.follow(&deaf.app.commands, stop).await.unwrap();
    let url = format!("http://{}/api/auth/oauth/exchange/", deaf.address);
    let redeem = |code: String| answer(app.client.post(&url).json(&json!({ "code": code })));
    let code = Browser::new(&app).code(KEY, &account("bob")).await;
    let late = Browser::new(&app).code(KEY, &account("bob")).await;
    assert_eq!(redeem(code).await.0, 200);
    app.catch_up().await;
    let path = format!("{PATH}{KEY}/?force=true");
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 204);
    let (status, told) = redeem(late).await;
    assert_eq!((status, &told["code"]), (404, &json!("oauth_provider_unknown")));
    assert_eq!(created(&app).await[2], 2, "the administrator and the first");
}

#[sqlx::test(migrations = false)]
async fn another_issuer_under_an_old_key_opens_nobodys_account(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let (first, second) = (misbehaving("good"), misbehaving("good"));
    add(&app, &ann, &wish("work", &first)).await;
    let (_, bob) = sign_in(&app, "work", &account("bob")).await;
    app.catch_up().await;
    let path = format!("{PATH}work/?force=true");
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 204);
    add(&app, &ann, &wish("work", &second)).await;
    let (status, told) = sign_in(&app, "work", &account("bob")).await;
    assert_eq!((status, &told["code"]), (409, &json!("oauth_link_required")), "the same subject");
    // Its own issuer gives the account back.
    answer(app.as_person(&ann, Method::DELETE, &path)).await;
    add(&app, &ann, &wish("work", &first)).await;
    let (_, again) = sign_in(&app, "work", &account("bob")).await;
    assert_eq!(again["user"]["id"], bob["user"]["id"]);
}

#[sqlx::test(migrations = false)]
async fn whoever_would_lose_the_last_way_in_is_named_first(pool: PgPool) {
    let configured = vec![oidc("google", &misbehaving("good"))];
    let app = builder(pool, configured).start().await;
    let ann = app.register_active("ann").await;
    app.grant(&ann).await;
    let issuer = misbehaving("good");
    add(&app, &ann, &wish("work", &issuer)).await;
    // One has nothing else, one a password, one another provider.
    let (_, cat) = sign_in(&app, "work", &account("cat")).await;
    let dan = app.register_active("dan").await;
    let (_, eve) = sign_in(&app, "google", &account("eve")).await;
    let (cat, eve) = (person(&cat), person(&eve));
    app.catch_up().await;
    for who in [&dan, &eve] {
        let code = link_code(&app, who, "work", &account(&who.username)).await;
        assert_eq!(finish(&app, who, &code).await.0, 201);
    }
    let (status, told) = call(&app, &ann, Method::DELETE, "work").await;
    assert_eq!((status, &told["code"]), (409, &json!("provider_in_use")));
    assert_eq!((&told["accounts"], &told["last_way_in_of"]), (&json!(3), &json!([cat.id])));
    assert_eq!(logged(&app, "provider.removed").await, 0);
    let path = format!("{PATH}work/?force=true");
    assert_eq!(answer(app.as_person(&ann, Method::DELETE, &path)).await.0, 204);
    // The session goes on, the way in does not; nor does what is left of it count as one.
    assert_eq!(list(&app, &cat).await.len(), 1);
    let own = list(&app, &eve).await;
    let google = own.iter().find(|it| it["provider"] == "google").unwrap();
    let path = format!("{IDENTITIES}{}/", google["id"].as_str().unwrap());
    let refused = |(status, told): (u16, Value)| {
        assert_eq!((status, &told["code"]), (409, &json!("last_way_in")), "nothing else opens it");
    };
    refused(answer(app.as_person(&eve, Method::DELETE, &path)).await);
    // Nor does another issuer under the same key.
    assert_eq!(add(&app, &ann, &wish("work", &misbehaving("good"))).await.0, 201);
    refused(answer(app.as_person(&eve, Method::DELETE, &path)).await);
    let work = own.iter().find(|it| it["provider"] == "work").unwrap();
    let path = format!("{IDENTITIES}{}/", work["id"].as_str().unwrap());
    assert_eq!(answer(app.as_person(&eve, Method::DELETE, &path)).await.0, 204);
}

#[sqlx::test(migrations = false)]
async fn what_was_done_is_on_record_and_the_secret_nowhere(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let mut told = vec![add(&app, &ann, &wish(KEY, &certified())).await.1];
    told.push(change(&app, &ann, json!({"client_secret": "another-secret"})).await.1);
    told.push(call(&app, &ann, Method::GET, KEY).await.1);
    told.push(answer(app.as_person(&ann, Method::GET, PATH)).await.1);
    told.push(answer(app.get("/api/auth/config/")).await.1);
    call(&app, &ann, Method::DELETE, KEY).await;
    app.catch_up().await;
    let events = app.app.commands.store().read_all(Position::START, 10_000).await.unwrap();
    let rows: Vec<(String, Value)> = sqlx::query_as(
        "select action, details from read.audit_log where target_type = 'provider' order by position",
    )
    .fetch_all(&app.store_pool)
    .await
    .unwrap();
    let actions: Vec<&str> = rows.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["create", "update", "delete"]);
    assert_eq!(rows[0].1["issuer"], json!(certified()));
    assert_eq!(rows[1].1["has_new_secret"], json!(true));
    // What is sealed is base64, so it is looked into as well.
    let own: Vec<Value> = events
        .iter()
        .filter(|it| it.name.starts_with("provider."))
        .map(|it| serde_json::from_slice(&it.data).unwrap())
        .collect();
    let sealed = own.iter().filter_map(|it| it["client_secret"].as_str());
    let sealed: Vec<Vec<u8>> = sealed.map(|it| STANDARD_NO_PAD.decode(it).unwrap()).collect();
    assert_eq!(sealed.len(), 2, "one set up, one changed");
    let opened = sealed.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let data = events.iter().map(|it| String::from_utf8_lossy(&it.data).into_owned());
    let seen = told.iter().map(ToString::to_string).chain(data).chain(opened);
    for text in seen.chain(rows.iter().map(|(_, details)| details.to_string())) {
        assert!(!text.contains(SECRET) && !text.contains("another-secret"), "{text}");
    }
}
