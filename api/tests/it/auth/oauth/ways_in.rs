//! The last way in stays: passwords, identities and passkeys in every combination, also when two go at once.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::browser::sign_in;
use super::identities::{PATH, finish, link_code, list, person};
use super::providers::{account, app_with_google, builder, misbehaving, oidc};
use crate::app::TestApp;
use crate::auth::calls::{answer, can_log_in};
use crate::auth::factors::{Authenticator, passkeys};
use crate::person::Person;

const FACTORS: &str = "/api/auth/factors/";

async fn delete(app: &TestApp, who: &Person, path: &str) -> (u16, Value) {
    answer(app.as_person(who, Method::DELETE, path)).await
}

/// The path of somebody's first identity.
async fn identity(app: &TestApp, who: &Person) -> String {
    app.catch_up().await;
    format!("{PATH}{}/", list(app, who).await[0]["id"].as_str().unwrap())
}

async fn passkey(app: &TestApp, who: &Person, key: &mut Authenticator) -> String {
    let (status, told) = passkeys::enrol(app, who, key).await;
    assert_eq!(status, 201, "{told}");
    app.catch_up().await;
    let (_, all) = answer(app.as_person(who, Method::GET, FACTORS)).await;
    let passkey = all["results"].as_array().unwrap().iter().find(|it| it["kind"] == "passkey");
    format!("{FACTORS}{}/", passkey.unwrap()["id"].as_str().unwrap())
}

async fn signs_in_alone(app: &TestApp, key: &mut Authenticator) -> u16 {
    let begun = passkeys::begin(app).await;
    passkeys::finish(app, &begun, key.get(&begun["options"])).await.0
}

#[sqlx::test(migrations = false)]
async fn a_passkey_is_a_way_in_and_the_last_one_stays(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let ann = person(&told);
    let own = identity(&app, &ann).await;
    assert_eq!(delete(&app, &ann, &own).await.1["code"], json!("last_way_in"), "nothing else");
    let mut key = Authenticator::new("ann's laptop");
    let passkey = passkey(&app, &ann, &mut key).await;
    assert_eq!(delete(&app, &ann, &own).await.0, 204, "the passkey is another way");
    assert_eq!(signs_in_alone(&app, &mut key).await, 200);
    let (status, told) = delete(&app, &ann, &passkey).await;
    assert_eq!((status, &told["code"]), (409, &json!("last_way_in")));
    assert_eq!(signs_in_alone(&app, &mut key).await, 200);
    // Linked again, the passkey may go.
    let code = link_code(&app, &ann, "google", &account("ann")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    assert_eq!(delete(&app, &ann, &passkey).await.0, 204);
    assert_eq!(sign_in(&app, "google", &account("ann")).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn with_a_password_everything_else_may_go(pool: PgPool) {
    let app = app_with_google(pool, "good").await;
    let ann = app.register_active("ann").await;
    let code = link_code(&app, &ann, "google", &account("elsewhere")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    let mut key = Authenticator::new("ann's laptop");
    let passkey = passkey(&app, &ann, &mut key).await;
    let own = identity(&app, &ann).await;
    for path in [&own, &passkey] {
        assert_eq!(delete(&app, &ann, path).await.0, 204);
    }
    assert!(can_log_in(&app, &ann).await);
}

#[sqlx::test(migrations = false)]
async fn a_passkey_that_does_not_work_here_is_no_way_in(pool: PgPool) {
    let mut builder = builder(pool, vec![oidc("google", &misbehaving("good"))]);
    builder.commands.relying_party = None;
    let app = builder.start().await;
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let ann = person(&told);
    let own = identity(&app, &ann).await;
    // It was enrolled while the site had a name.
    let process = app.beside(keynest_domain::limits::Quotas::none()).await;
    let mut key = Authenticator::new("ann's laptop");
    passkey(&process, &ann, &mut key).await;
    assert_eq!(delete(&app, &ann, &own).await.1["code"], json!("last_way_in"));
    assert_eq!(delete(&process, &ann, &own).await.0, 204, "where passkeys work it is");
}

#[sqlx::test(migrations = false)]
async fn of_two_last_ways_that_go_at_once_one_stays(pool: PgPool) {
    let providers = vec![oidc("google", &misbehaving("good")), oidc("other", &misbehaving("good"))];
    let app = builder(pool, providers).start().await;
    let other = app.beside(keynest_domain::limits::Quotas::none()).await;
    // An identity and a passkey.
    let (_, told) = sign_in(&app, "google", &account("ann")).await;
    let ann = person(&told);
    let own = identity(&app, &ann).await;
    let mut key = Authenticator::new("ann's laptop");
    let passkey = passkey(&app, &ann, &mut key).await;
    let gone = at_once([&app, &other], &ann, [own.as_str(), passkey.as_str()]).await;
    assert_eq!(gone, 1);
    let by_passkey = signs_in_alone(&app, &mut key).await == 200;
    let by_google = sign_in(&app, "google", &account("ann")).await.1["user"]["id"] == ann.id;
    assert!(by_passkey != by_google, "one way is left: {by_passkey} {by_google}");
    // Two identities.
    let (_, told) = sign_in(&app, "google", &account("bob")).await;
    let bob = person(&told);
    let code = link_code(&app, &bob, "other", &account("bob")).await;
    assert_eq!(finish(&app, &bob, &code).await.0, 201);
    let ids: Vec<String> = list(&app, &bob).await.iter().map(path_of).collect();
    assert_eq!(at_once([&app, &other], &bob, [ids[0].as_str(), ids[1].as_str()]).await, 1);
    app.catch_up().await;
    assert_eq!(list(&app, &bob).await.len(), 1);
}

fn path_of(identity: &Value) -> String {
    format!("{PATH}{}/", identity["id"].as_str().unwrap())
}

/// 64 at once, over two processes: how many were done.
async fn at_once(apps: [&TestApp; 2], who: &Person, paths: [&str; 2]) -> usize {
    let sent = (0..64).map(|n| delete(apps[n / 2 % 2], who, paths[n % 2]));
    let told = futures::future::join_all(sent).await;
    let is_told = |(status, _): &&(u16, Value)| matches!(status, 204 | 404 | 409 | 503);
    assert_eq!(told.iter().filter(is_told).count(), 64, "{told:?}");
    told.iter().filter(|(status, _)| *status == 204).count()
}
