//! The main job on a fresh folder with nothing configured: from the first registration to the audit log, then a kill,
//! a restart and a rebuild that change nothing, and no canary anywhere in clear.

use reqwest::Method;
use serde_json::{Value, json};

use crate::running::{Place, Running, files_below};

pub const PASSWORD: &str = "canary-Passw0rd-x7Q2";
const VALUE: &str = "canary-value-k4W9 # with \"quotes\" and $signs\nand a second line";

pub struct People {
    pub ann: String,
    pub ann_refresh: String,
    pub bob: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_survives_a_kill_and_a_rebuild_and_leaks_nothing() {
    let place = Place::new();
    let running = place.serve();
    let people = People::arrive(&running).await;
    let organization = found_organization(&running, &people).await;
    let environment = keep_variables(&running, &people, organization).await;
    invite(&running, &people, organization, environment).await;
    let values = format!("/api/core/environments/{environment}/variables/");
    running.json(200, Method::GET, &values, Some(&people.ann), None).await;
    let export = format!("/api/core/environments/{environment}/export/?format=env");
    let file =
        running.call(Method::GET, &export, Some(&people.ann), None).await.text().await.unwrap();
    assert!(file.contains("canary-value-k4W9"), "{file}");
    let audit =
        running.json(200, Method::GET, "/api/core/audit-logs/", Some(&people.ann), None).await;
    for action in ["create", "export", "accept", "login", "read"] {
        let rows = audit["results"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["action"] == action), "no {action} in {audit}");
    }
    let before = answers(&running, &people, organization, environment).await;
    running.kill_group();

    let running = place.serve();
    assert_eq!(
        answers(&running, &people, organization, environment).await,
        before,
        "after kill -9"
    );
    let rebuilt = place.run(&["rebuild"]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert_eq!(
        answers(&running, &people, organization, environment).await,
        before,
        "after a rebuild"
    );
    for check in [
        &["rebuild", "--check"][..],
        &["verify"],
        &["status"],
        &["keys", "list"],
        &["dead-letters", "list"],
    ] {
        let output = place.run(check);
        assert!(output.status.success(), "{check:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let rotated = place.run(&["keys", "rotate"]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    assert_eq!(
        answers(&running, &people, organization, environment).await,
        before,
        "after a new root key"
    );
    no_canary(&place);
    assert_eq!(running.stop(), Some(0));

    let running = place.serve();
    assert_eq!(
        answers(&running, &people, organization, environment).await,
        before,
        "under the new root key"
    );
    let renewed = json!({"refresh": people.ann_refresh});
    running.json(200, Method::POST, "/api/auth/token/refresh/", None, Some(renewed)).await;
}

impl People {
    pub async fn arrive(running: &Running) -> Self {
        for name in ["canaryann", "canarybob"] {
            let account = json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
                "confirm_password": PASSWORD, "first_name": "Canaryfirst", "last_name": ""});
            running.json(201, Method::POST, "/api/auth/register/", None, Some(account)).await;
            let path = link(running, &format!("{name}@example.com"), "/activate/").await;
            let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
            let body = json!({"uid": parts[1], "token": parts[2]});
            running.json(200, Method::POST, "/api/auth/activate/", None, Some(body)).await;
        }
        let (ann, ann_refresh) = sign_in(running, "canaryann").await;
        Self { ann, ann_refresh, bob: sign_in(running, "canarybob").await.0 }
    }
}

pub async fn sign_in(running: &Running, name: &str) -> (String, String) {
    let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
    let answer = running.json(200, Method::POST, "/api/auth/login/", None, Some(body)).await;
    (answer["access"].as_str().unwrap().to_owned(), answer["refresh"].as_str().unwrap().to_owned())
}

/// The path of the link in the newest mail of a kind. The mailer is another task, so the mailbox is asked until the
/// mail is there; the request itself paces the loop.
pub async fn link(running: &Running, address: &str, kind: &str) -> String {
    for _ in 0..10_000 {
        let answer = running
            .call(Method::GET, &format!("/dev/mailbox/latest/?to={address}"), None, None)
            .await;
        let text = answer.text().await.unwrap();
        if let Some(line) =
            text.lines().find(|line| line.starts_with("http") && line.contains(kind))
        {
            return format!("/{}", line.splitn(4, '/').nth(3).unwrap());
        }
        tokio::task::yield_now().await;
    }
    panic!("no mail to {address} with a link to {kind}");
}

pub async fn found_organization(running: &Running, people: &People) -> i64 {
    let body = json!({"name": "Canaryorg Ltd", "description": "canarydescription"});
    let made = running
        .json(201, Method::POST, "/api/core/organizations/", Some(&people.ann), Some(body))
        .await;
    assert_eq!(made["user_role"], "admin");
    made["id"].as_i64().unwrap()
}

pub async fn keep_variables(running: &Running, people: &People, organization: i64) -> i64 {
    let token = Some(people.ann.as_str());
    let body = json!({"name": "canaryproject", "organization": organization});
    let project = running.json(201, Method::POST, "/api/core/projects/", token, Some(body)).await;
    let body =
        json!({"name": "canaryenv", "project": project["id"], "environment_type": "production"});
    let environment =
        running.json(201, Method::POST, "/api/core/environments/", token, Some(body)).await;
    let id = environment["id"].as_i64().unwrap();
    let body = json!({"key": "DATABASE_URL", "value": VALUE, "environment": id});
    let made = running.json(201, Method::POST, "/api/core/variables/", token, Some(body)).await;
    assert_eq!(made["decrypted_value"], VALUE);
    let body = json!({"data": "IMPORTED=canary-imported-z1\nEMPTY=\n", "format": "env"});
    let path = format!("/api/core/environments/{id}/import/");
    let imported = running.json(200, Method::POST, &path, token, Some(body)).await;
    assert_eq!(imported["imported_count"], 2);
    id
}

pub async fn invite(running: &Running, people: &People, organization: i64, environment: i64) {
    let body = json!({"email": "canarybob@example.com", "role": "viewer"});
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    running.json(201, Method::POST, &path, Some(&people.ann), Some(body)).await;
    let path = link(running, "canarybob@example.com", "/accept-invitation/").await;
    let token = path.trim_matches('/').split('/').nth(1).unwrap();
    let body = json!({"token": token});
    let joined =
        running.json(200, Method::POST, "/api/auth/invitations/accept/", None, Some(body)).await;
    assert_eq!(joined["role"], "viewer");
    let path = format!("/api/core/environments/{environment}/variables/");
    let seen = running.json(200, Method::GET, &path, Some(&people.bob), None).await;
    for variable in seen["results"].as_array().unwrap() {
        assert_eq!(variable["decrypted_value"], "[HIDDEN]");
    }
    let export = format!("/api/core/environments/{environment}/export/");
    assert_eq!(running.call(Method::GET, &export, Some(&people.bob), None).await.status(), 403);
}

/// What the people see, without the audit log of the looking itself.
pub async fn answers(
    running: &Running,
    people: &People,
    organization: i64,
    environment: i64,
) -> Vec<String> {
    let mut seen = Vec::new();
    let paths = [
        "/api/auth/profile/".to_owned(),
        "/api/core/organizations/".to_owned(),
        "/api/core/projects/".to_owned(),
        "/api/core/environments/".to_owned(),
        format!("/api/core/organizations/{organization}/members/"),
        format!("/api/core/environments/{environment}/variables/"),
        format!("/api/core/environments/{environment}/export/?format=json"),
        "/api/core/audit-logs/?action=create".to_owned(),
    ];
    for token in [&people.ann, &people.bob] {
        for path in &paths {
            let answer = running.call(Method::GET, path, Some(token), None).await;
            let status = answer.status();
            let text = answer.text().await.unwrap();
            let stable: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            seen.push(format!("{path} {status} {}", without_request_id(stable)));
        }
    }
    seen
}

fn without_request_id(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("request_id");
    }
    answer
}

/// Looks for every canary in the log lines, in the log files and in a dump of the event log and the claims.
fn no_canary(place: &Place) {
    let url = std::fs::read_to_string(place.data().join("postgres.url")).unwrap();
    let mut haystack = place.log.lock().unwrap().clone().into_bytes();
    for table in
        ["events", "streams", "claims", "commands", "data_keys", "idempotency", "effects", "work"]
    {
        let query = format!("select t::text, t::text from store.{table} t");
        let dump =
            std::process::Command::new("psql").args([url.trim(), "-Atc", &query]).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        haystack.extend(dump.stdout);
    }
    // The payloads as the bytes that they are, not as hexadecimal digits.
    let query = "select convert_from(data, 'utf8') from store.events";
    let payloads =
        std::process::Command::new("psql").args([url.trim(), "-Atc", query]).output().unwrap();
    assert!(
        payloads.stdout.windows(11).any(|bytes| bytes == b"environment"),
        "the payloads were not read"
    );
    haystack.extend(payloads.stdout);
    for file in
        files_below(&place.data().join("postgres")).iter().filter(|file| file.ends_with("log"))
    {
        haystack.extend(std::fs::read(file).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&haystack).to_lowercase();
    for canary in [
        "canary-passw0rd",
        "canary-value",
        "canary-imported",
        "canaryann",
        "canarybob",
        "canaryorg",
        "canaryproject",
        "canaryenv",
        "canarydescription",
        "canaryfirst",
        "example.com",
        "eyj0",
    ] {
        let at = text.find(canary);
        assert!(
            at.is_none(),
            "{canary}: …{}…",
            &text[at.unwrap_or(0).saturating_sub(100)..][..200]
        );
    }
}
