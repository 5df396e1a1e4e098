//! One's own sessions.

use keynest_api::middleware::Proxies;
use keynest_domain::Lifetime;
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{answer, logged, profile_status, refresh};
use crate::app::TestApp;
use crate::person::{PASSWORD, Person};

const PATH: &str = "/api/auth/sessions/";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn listed(app: &TestApp, person: &Person) -> Vec<Value> {
    let (status, told) = answer(app.get(PATH).bearer_auth(&person.access)).await;
    assert_eq!(status, 200, "{told}");
    let sessions = told["sessions"].as_array().unwrap().clone();
    assert_eq!(told["total_count"], sessions.len());
    sessions
}

async fn id_of(app: &TestApp, person: &Person) -> String {
    let sessions = listed(app, person).await;
    let current = sessions.iter().find(|it| it["is_current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

async fn end(app: &TestApp, person: &Person, id: &str) -> u16 {
    let path = format!("{PATH}{id}/");
    answer(app.as_person(person, Method::DELETE, &path)).await.0
}

/// Signs in from a network and with an agent.
async fn sign_in_from(app: &TestApp, name: &str, address: &str, agent: &str) -> Person {
    let email = format!("{name}@example.com");
    let body = json!({"email": email, "password": PASSWORD});
    let call = app.post("/api/auth/login/").header(USER_AGENT, agent);
    let (status, told) = answer(call.header("X-Forwarded-For", address).json(&body)).await;
    assert_eq!(status, 200, "{told}");
    let text = |field: &str| told[field].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access"), text("refresh"));
    let id = told["user"]["id"].as_i64().unwrap();
    Person { id, username: name.to_owned(), email, access, refresh }
}

async fn behind_a_proxy(pool: PgPool) -> TestApp {
    let mut builder = TestApp::builder(pool);
    builder.edge.proxies =
        Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
    builder.start().await
}

#[sqlx::test(migrations = false)]
async fn one_sees_where_and_with_what_one_is_signed_in(pool: PgPool) {
    let app = behind_a_proxy(pool).await;
    let laptop = app.register_active("ann").await;
    app.register_active("bob").await;
    let phone = sign_in_from(&app, "ann", "198.51.100.7", FIREFOX).await;
    let sessions = listed(&app, &phone).await;
    assert_eq!(sessions.len(), 2, "not bob's");
    let (own, other): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|it| it["is_current"] == true);
    assert_eq!(own[0]["device"], "Firefox on Linux");
    assert_eq!(own[0]["ip_address"], "198.51.100.7");
    assert_eq!(own[0]["method"], "password");
    assert_eq!(other[0]["ip_address"], "127.0.0.1");
    assert!(own[0]["started_at"].is_string() && own[0]["last_used_at"].is_string());
    assert_eq!(id_of(&app, &laptop).await, other[0]["id"].as_str().unwrap());
    assert_eq!(answer(app.get(PATH)).await.0, 403);
}

#[sqlx::test(migrations = false)]
async fn an_ended_session_is_out_at_once_and_only_its_owner_ends_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (laptop, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let phone = app.sign_in("ann").await;
    let (of_phone, of_bob) = (id_of(&app, &phone).await, id_of(&app, &bob).await);
    for foreign in [of_bob.as_str(), "00000000-0000-7000-8000-000000000000", "1"] {
        assert_eq!(end(&app, &laptop, foreign).await, 404, "{foreign}");
    }
    assert_eq!(profile_status(&app, &bob.access).await, 200);
    assert_eq!(end(&app, &laptop, &of_phone).await, 204);
    assert_eq!(profile_status(&app, &phone.access).await, 401);
    assert_eq!(refresh(&app, &phone.refresh).await.0, 400);
    assert_eq!(end(&app, &laptop, &of_phone).await, 404, "it has ended");
    assert_eq!(listed(&app, &laptop).await.len(), 1);
    assert_eq!(profile_status(&app, &laptop.access).await, 200);
}

#[sqlx::test(migrations = false)]
async fn all_other_sessions_end_by_one_event(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let laptop = app.register_active("ann").await;
    let bob = app.register_active("bob").await;
    let others = [app.sign_in("ann").await, app.sign_in("ann").await, app.sign_in("ann").await];
    assert_eq!(answer(app.as_person(&laptop, Method::DELETE, PATH)).await.0, 200);
    for other in &others {
        assert_eq!(profile_status(&app, &other.access).await, 401);
        assert_eq!(refresh(&app, &other.refresh).await.0, 400);
    }
    assert_eq!(listed(&app, &laptop).await.len(), 1);
    assert_eq!(refresh(&app, &laptop.refresh).await.0, 200);
    assert_eq!(profile_status(&app, &bob.access).await, 200);
    assert_eq!(logged(&app, "user.other_sessions_ended").await, 1);
    assert_eq!(logged(&app, "session.ended").await, 0);
    assert_eq!(profile_status(&app, &app.sign_in("ann").await.access).await, 200);
}

#[sqlx::test(migrations = false)]
async fn last_used_is_no_event_and_moves_once_a_minute(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let used = async |app: &TestApp| listed(app, &ann).await[0]["last_used_at"].clone();
    app.clock.advance(Lifetime::from_minutes(2));
    let first = used(&app).await;
    let head = app.app.commands.store().head().await.unwrap();
    app.clock.advance(Lifetime::from_secs(50));
    assert_eq!(profile_status(&app, &ann.access).await, 200);
    assert_eq!(used(&app).await, first, "within the minute");
    app.clock.advance(Lifetime::from_secs(11));
    let second = used(&app).await;
    assert!(second.as_str().unwrap() > first.as_str().unwrap(), "{second} after {first}");
    assert_eq!(app.app.commands.store().head().await.unwrap(), head);
    let kept = async |app: &TestApp| {
        let count = sqlx::query_scalar::<_, i64>("select count(*) from store.session_uses");
        count.fetch_one(&app.store_pool).await.unwrap()
    };
    assert_eq!(kept(&app).await, 1);
    app.clock.advance(Lifetime::from_days(31));
    assert_eq!(app.app.session_uses.prune(app.clock.now()).await.unwrap(), 1);
    assert_eq!(kept(&app).await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_sign_in_from_a_new_network_is_told_to_its_owner(pool: PgPool) {
    let app = behind_a_proxy(pool).await;
    app.register_active("ann").await;
    let kinds = async |app: &TestApp| {
        let mails = app.deliver().await;
        mails.into_iter().filter(|it| it.kind == "new_sign_in").collect::<Vec<_>>()
    };
    assert_eq!(kinds(&app).await.len(), 0, "not of the first one ever");
    app.sign_in("ann").await;
    assert_eq!(kinds(&app).await.len(), 0, "the same network");
    sign_in_from(&app, "ann", "198.51.100.7", FIREFOX).await;
    let told = kinds(&app).await;
    assert_eq!((told.len(), told[0].recipient.as_str()), (1, "ann@example.com"));
    let text = &told[0].body_text;
    assert!(text.contains("198.51.100.7") && text.contains("Firefox on Linux"), "{text}");
    assert!(!text.contains("Gecko"), "no request field is mailed");
    sign_in_from(&app, "ann", "198.51.100.9", FIREFOX).await;
    assert_eq!(kinds(&app).await.len(), 1, "the same /24");
    app.clock.advance(Lifetime::from_days(31));
    sign_in_from(&app, "ann", "198.51.100.9", FIREFOX).await;
    assert_eq!(kinds(&app).await.len(), 2, "not seen for a month");
}
