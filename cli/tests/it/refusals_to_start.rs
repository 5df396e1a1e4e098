//! What `keynest` refuses to start with, and that nothing is lost by it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::running::Place;

fn refusal(place: &Place) -> String {
    let output = place.run(&["status"]);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_missing_or_wrong_root_key_is_a_clear_refusal_and_putting_it_back_helps() {
    let place = Place::new();
    let running = place.serve();
    let account = json!({"username": "ann", "email": "ann@example.com", "password": "correct-Horse-7-battery",
        "confirm_password": "correct-Horse-7-battery"});
    running.json(201, reqwest::Method::POST, "/api/auth/register/", None, Some(account)).await;
    assert_eq!(running.stop(), Some(0));

    let path = place.data().join("root.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let missing = refusal(&place);
    assert!(missing.contains("root key") && missing.contains("missing"), "{missing}");
    assert!(!path.exists(), "a root key was made although there are secrets");

    let other = Place::new();
    other.serve().stop();
    fs::copy(other.data().join("root.key"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let wrong = refusal(&place);
    assert!(wrong.contains("keyring") || wrong.contains("root key"), "{wrong}");

    fs::write(&path, key).unwrap();
    let users = place.run(&["users", "list"]);
    assert!(String::from_utf8(users.stdout).unwrap().contains("ann@example.com"));
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let place = Place::new();
    let running = place.serve();
    let second = place.run(&["serve"]);
    assert!(!second.status.success());
    assert!(String::from_utf8(second.stderr).unwrap().contains("another keynest is running"));
    assert_eq!(
        running.json(200, reqwest::Method::GET, "/health/", None, None).await["status"],
        "healthy"
    );
}

#[test]
fn a_public_address_without_mail_is_refused() {
    let place = Place::new();
    let output =
        place.keynest(&["serve"]).env("KEYNEST_HTTP_LISTEN", "0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("smtp"));
}
