//! The copy of one's data: everything that the log and the read models hold of a person, and no secret.

use keynest_crypto::{Context, Subject};
use keynest_domain::{Aggregate, Sealed, UserId, user::User};
use keynest_store::{Revision, decode};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::answer;
use super::everything::{CANARY, Everything};
use crate::app::TestApp;
use crate::person::Person;

/// Sealed, and nobody's to read: what signs in.
const SECRET: [&str; 4] = ["password", "secret", "credential", "digests"];

/// What the person's events seal under the person's key: event, field, text.
async fn sealed_texts(app: &TestApp, person: &Person) -> Vec<(String, String, String)> {
    let user = UserId::new(person.id);
    let stream = User::stream(user);
    let commands = &app.app.commands;
    let mut found = Vec::new();
    for recorded in commands.store().read_stream(&stream, Revision::NONE).await.unwrap() {
        let event = decode(&recorded).unwrap();
        let stored = serde_json::to_value(&event).unwrap();
        for (field, value) in stored.as_object().unwrap() {
            let Ok(sealed) = serde_json::from_value::<Sealed>(value.clone()) else { continue };
            let (subject, name) = (Subject::User(user), event.name());
            let context = Context::new(subject, stream.clone(), name, field.clone());
            if let Ok(Some(text)) = commands.keyring().open_text(&context, &sealed).await {
                found.push((name.to_owned(), field.clone(), text.to_string()));
            }
        }
    }
    found
}

async fn copy(app: &TestApp, person: &Person) -> Value {
    let (status, copy) =
        answer(app.as_person(person, Method::GET, "/api/auth/account/export/")).await;
    assert_eq!(status, 200, "{copy}");
    copy
}

#[sqlx::test(migrations = false)]
async fn every_text_that_the_log_seals_for_a_person_is_in_the_copy_but_secrets(pool: PgPool) {
    let Everything { app, person, secrets, .. } = Everything::start(pool).await;
    let sealed = sealed_texts(&app, &person).await;
    let fields: Vec<&str> = sealed.iter().map(|(_, field, _)| field.as_str()).collect();
    for field in
        SECRET.iter().chain(&["username", "email", "first_name", "name", "ranges", "subject"])
    {
        assert!(fields.contains(field), "the person has no {field}: {fields:?}");
    }
    let copy = copy(&app, &person).await;
    let history = copy["history"].as_array().unwrap();
    for (event, field, text) in &sealed {
        let is_told =
            |fact: &Value| fact["event"] == json!(event) && fact["facts"][field] == json!(text);
        assert_eq!(
            history.iter().any(is_told),
            !SECRET.contains(&field.as_str()),
            "{field} of {event}"
        );
    }
    let whole = copy.to_string();
    for (event, field, text) in
        sealed.iter().filter(|(_, field, _)| SECRET.contains(&field.as_str()))
    {
        assert!(!whole.contains(text.as_str()), "{field} of {event} is in the copy");
    }
    for secret in &secrets {
        assert!(!whole.contains(secret.as_str()), "a secret is in the copy");
    }
}

#[sqlx::test(migrations = false)]
async fn the_copy_shows_what_each_screen_shows_and_what_has_ended(pool: PgPool) {
    let Everything { app, person, .. } = Everything::start(pool).await;
    let phone = app.get("/api/auth/sessions/").bearer_auth(&person.access);
    assert_eq!(answer(phone).await.1["total_count"], 1);
    let copy = copy(&app, &person).await;
    assert_eq!(copy["format_version"], 1);
    assert_eq!(copy["profile"]["user"]["first_name"], format!("Second {CANARY}"));
    assert_eq!(copy["pending_email"]["email"], format!("new-{CANARY}@example.net"));
    let identity = &copy["identities"][0];
    let address = format!("other-{CANARY}@example.com");
    assert_eq!((&identity["provider"], &identity["email"]), (&json!("google"), &json!(address)));
    let factors = copy["factors"]["results"].as_array().unwrap();
    let kinds: Vec<_> =
        factors.iter().map(|it| (it["kind"].as_str(), it["name"].as_str())).collect();
    let phone = format!("phone of {CANARY}");
    assert_eq!(kinds, [(Some("passkey"), Some("laptop")), (Some("totp"), Some(phone.as_str()))]);
    assert_eq!(copy["factors"]["recovery_codes_left"], 10);
    let [living, ended] = copy["tokens"].as_array().unwrap().as_slice() else { panic!("{copy}") };
    assert_eq!(living["name"], format!("laptop {CANARY}"));
    assert_eq!(living["ip_ranges"], json!(["127.0.0.0/8"]));
    assert!(living["last_used_at"].is_string() && living["ended_at"].is_null(), "{living}");
    assert_eq!(ended["name"], format!("old {CANARY}"));
    assert!(ended["last_used_at"].is_null() && ended["ended_at"].is_string(), "{ended}");
    assert_eq!(copy["sessions"][0]["ip_address"], "127.0.0.1");
    assert_eq!(copy["history"][0]["event"], "user.registered");
    let last = copy["history"].as_array().unwrap().last().unwrap();
    assert_eq!(last["event"], "user.data_exported", "the copy itself is in it");
}
