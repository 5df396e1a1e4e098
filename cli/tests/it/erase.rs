//! `keynest users erase` beside a running product: whom it knows, and what is left in the database and the logs.

use std::process::Command;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::running::{Place, Running};

/// In every name of the person, and nowhere else.
const CANARY: &str = "quetzalcoatl";
/// From where the person comes, through the proxy that this test is.
const ADDRESS: &str = "203.0.113.77";
const PASSWORD: &str = "correct-Horse-7-battery";

/// The rows of every table that the product keeps, as text, but for the development mailbox: it stands for the
/// mailboxes outside, where what was sent was sent.
fn dump(place: &Place) -> String {
    let url = std::fs::read_to_string(place.data().join("postgres.url")).unwrap();
    let psql = |query: &str| {
        let answer = Command::new("psql").args([url.trim(), "-Atc", query]).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8_lossy(&answer.stdout).to_lowercase()
    };
    let tables = psql(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname in ('store', 'read') and tablename not like 'mailbox%' order by 1",
    );
    assert!(tables.lines().count() > 20, "{tables}");
    tables
        .lines()
        .map(|table| psql(&format!("select '{table} ' || t::text from {table} t")))
        .collect()
}

/// Rows that have a text in clear or as the digits of its bytes.
fn rows_with<'a>(dump: &'a str, text: &str) -> Vec<&'a str> {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    dump.lines().filter(|row| row.contains(text) || row.contains(&digits)).collect()
}

/// The path of the link in the person's newest mail. The mailer is another task, so the mailbox is asked until the mail
/// is there; the request itself paces the loop.
async fn link(running: &Running, page: &str) -> String {
    for _ in 0..10_000 {
        let path = format!("/dev/mailbox/latest/?to={CANARY}@example.com");
        let mail = Client::new().get(format!("http://{}{path}", running.address)).send().await;
        let text = mail.unwrap().text().await.unwrap();
        if let Some(line) = text.lines().find(|it| it.starts_with("http") && it.contains(page)) {
            return format!("/{}", line.splitn(4, '/').nth(3).unwrap());
        }
        tokio::task::yield_now().await;
    }
    panic!("no mail with a link to {page}");
}

/// Registers, confirms the address, signs in: the answer to the sign-in.
async fn arrive(running: &Running) -> Value {
    let email = format!("{CANARY}@example.com");
    let account = json!({"username": CANARY, "email": email, "password": PASSWORD,
        "confirm_password": PASSWORD, "first_name": format!("First {CANARY}"), "last_name": CANARY});
    running.json(201, Method::POST, "/api/auth/register/", None, Some(account)).await;
    let path = link(running, "/activate/").await;
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let body = json!({"uid": parts[1], "token": parts[2]});
    running.json(200, Method::POST, "/api/auth/activate/", None, Some(body)).await;
    let body = json!({"email": email, "password": PASSWORD});
    running.json(200, Method::POST, "/api/auth/login/", None, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_erases_a_person_and_nothing_of_the_person_is_left_in_the_database() {
    let place = Place::new();
    let mut running = place.serve_with(&[("KEYNEST_HTTP_TRUSTED_PROXIES", "127.0.0.1/32")]);
    let from = HeaderMap::from_iter([(
        "x-forwarded-for".parse().unwrap(),
        HeaderValue::from_static(ADDRESS),
    )]);
    running.client = Client::builder().default_headers(from).build().unwrap();
    let signed_in = arrive(&running).await;
    let access = signed_in["access"].as_str().unwrap();
    let wish = json!({"name": format!("House of {CANARY}")});
    let path = "/api/core/organizations/";
    running.json(201, Method::POST, path, Some(access), Some(wish)).await;
    let wrong = json!({"email": format!("{CANARY}@example.com"), "password": "a wrong guess"});
    running.json(400, Method::POST, "/api/auth/login/", None, Some(wrong)).await;
    let before = dump(&place);
    for text in [CANARY, ADDRESS] {
        assert!(!rows_with(&before, text).is_empty(), "{text} was never there");
    }

    let unknown = place.run(&["users", "erase", "nobody@example.com"]);
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(!unknown.status.success() && told.contains("there is no account"), "{told}");
    let address = format!("{CANARY}@example.com");
    let erased = place.run(&["users", "erase", &address]);
    let told = String::from_utf8_lossy(&erased.stderr).into_owned();
    assert!(erased.status.success(), "{told}");
    assert!(String::from_utf8_lossy(&erased.stdout).contains("erased"));
    let again = place.run(&["users", "erase", &address]);
    assert!(!again.status.success(), "the account is gone");

    // From elsewhere: an anonymous caller's address is kept for 90 days.
    let own = std::mem::replace(&mut running.client, Client::new());
    running.json(401, Method::GET, "/api/auth/profile/", Some(access), None).await;
    let body = json!({"email": address, "password": PASSWORD});
    running.json(400, Method::POST, "/api/auth/login/", None, Some(body)).await;
    for check in [&["rebuild", "--check"][..], &["verify"], &["status"]] {
        let output = place.run(check);
        assert!(output.status.success(), "{check:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let after = dump(&place);
    for text in [CANARY, ADDRESS] {
        assert_eq!(rows_with(&after, text), Vec::<&str>::new(), "{text}");
    }
    let log = place.log.lock().unwrap().to_lowercase();
    assert!(!log.contains(CANARY) && !log.contains(ADDRESS), "{log}");

    running.client = own;
    let new = arrive(&running).await;
    assert_ne!(new["user"]["id"], signed_in["user"]["id"], "somebody new");
    assert_eq!(running.stop(), Some(0));
}
