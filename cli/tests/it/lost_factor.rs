//! Somebody lost the factor and the codes: what the operator does about it, on a running installation.

use keynest_commands::Clock;
use keynest_crypto::TotpSecret;
use reqwest::Method;
use serde_json::json;

use crate::running::{Place, Running};

const PASSWORD: &str = "correct-Horse-7-battery";

async fn arrive(running: &Running, place: &Place, name: &str) -> String {
    let address = format!("{name}@example.com");
    let account = json!({"username": name, "email": address, "password": PASSWORD,
        "confirm_password": PASSWORD, "first_name": "", "last_name": ""});
    running.json(201, Method::POST, "/api/auth/register/", None, Some(account)).await;
    let path = mailed(place, &address, "/activate/");
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let body = json!({"uid": parts[1], "token": parts[2]});
    running.json(200, Method::POST, "/api/auth/activate/", None, Some(body)).await;
    sign_in(running, &address).await
}

async fn sign_in(running: &Running, address: &str) -> String {
    let body = json!({"email": address, "password": PASSWORD});
    let told = running.json(200, Method::POST, "/api/auth/login/", None, Some(body)).await;
    told["access"].as_str().unwrap().to_owned()
}

/// What the newest mail with this text says from there to the end of its line. The mailer is another task of the
/// product, so the mailbox is asked until the mail is there; the subcommand itself paces the loop.
fn mailed(place: &Place, address: &str, text: &str) -> String {
    for _ in 0..200 {
        let mail = place.run(&["mailbox", "--to", address, "--limit", "1"]);
        let mail = String::from_utf8(mail.stdout).unwrap();
        if let Some(line) = mail.lines().find(|line| line.contains(text)) {
            return line[line.find(text).unwrap()..].to_owned();
        }
    }
    panic!("no mail to {address} with {text}");
}

/// Exit, what was printed, what was complained of.
fn reset(place: &Place, address: &str) -> (bool, String, String) {
    let done = place.run(&["users", "reset-factors", address]);
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    (done.status.success(), out, err)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_lets_somebody_in_who_lost_every_factor() {
    let place = Place::new();
    let running = place.serve();
    let ann = arrive(&running, &place, "ann").await;
    let totp = "/api/auth/factors/totp/";
    let offer = running.json(200, Method::POST, totp, Some(&ann), Some(json!({}))).await;
    let secret = TotpSecret::parse(offer["secret"].as_str().unwrap()).unwrap();
    let now = u64::try_from(Clock::default().now().seconds()).unwrap();
    let body =
        json!({"challenge": offer["challenge"], "code": secret.code_at(now), "name": "phone"});
    running.json(201, Method::POST, &format!("{totp}confirm/"), Some(&ann), Some(body)).await;
    let body = json!({"email": "ann@example.com", "password": PASSWORD});
    let asked = running.json(400, Method::POST, "/api/auth/login/", None, Some(body)).await;
    assert_eq!(asked["code"], "second_factor_required");

    let (is_done, _, complaint) = reset(&place, "nobody@example.com");
    assert!(!is_done && complaint.contains("there is no such account"), "{complaint}");
    let (is_done, _, complaint) = reset(&place, "no address");
    assert!(!is_done && complaint.contains("no address"), "{complaint}");
    let (is_done, told, _) = reset(&place, "ann@example.com");
    assert!(is_done && told.contains("no second factor any more"), "{told}");
    let (is_done, told, _) = reset(&place, "ann@example.com");
    assert!(is_done && told.contains("ann@example.com has no second factor\n"), "{told}");

    let access = sign_in(&running, "ann@example.com").await;
    running.json(401, Method::GET, "/api/auth/profile/", Some(&ann), None).await;
    let listed = running.json(200, Method::GET, "/api/auth/factors/", Some(&access), None).await;
    assert_eq!(listed["results"], json!([]));
    let rows = "/api/core/audit-logs/?action=factors_reset";
    let rows = running.json(200, Method::GET, rows, Some(&access), None).await;
    assert_eq!(rows["count"], 1, "{rows}");
    assert!(!mailed(&place, "ann@example.com", "The operator of this KeyNest").is_empty());
}
