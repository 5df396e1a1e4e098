//! Backup and restore as an operator does them: folders, an empty machine, and what must not come back.

use std::fs;
use std::path::{Path, PathBuf};

use keynest_cli::backup::{self, Wanted};
use keynest_cli::config::Config;
use keynest_cli::database::Database;
use keynest_cli::product::{Product, store_pool};
use keynest_crypto::RootKeys;
use reqwest::Method;
use serde_json::json;

use crate::journey::{People, answers, found_organization, invite, keep_variables, link, sign_in};
use crate::running::{Place, Running};

const PASSWORD: &str = "canary-Passw0rd-x7Q2";

/// Runs a subcommand that must succeed.
fn done(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a subcommand that must be refused.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn register(running: &Running, name: &str, status: u16) {
    let account = json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
        "confirm_password": PASSWORD});
    running.json(status, Method::POST, "/api/auth/register/", None, Some(account)).await;
}

/// What a person was given before the backup, and must not get in with after a restore.
struct Handed {
    people: People,
    personal: String,
    invitation: String,
    reset: String,
}

async fn hand_out(running: &Running, people: People, organization: i64) -> Handed {
    let made = json!({"name": "laptop", "access": "write", "everywhere": true});
    let made =
        running.json(201, Method::POST, "/api/auth/tokens/", Some(&people.ann), Some(made)).await;
    let personal = made["token"].as_str().unwrap().to_owned();
    let whole = running.call(Method::GET, "/api/core/projects/", Some(&personal), None).await;
    assert_eq!(whole.status(), 200);
    let body = json!({"email": "dora@example.com", "role": "viewer"});
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    running.json(201, Method::POST, &path, Some(&people.ann), Some(body)).await;
    let invitation = link(running, "dora@example.com", "/accept-invitation/").await;
    let body = json!({"email": "canarybob@example.com"});
    running.json(200, Method::POST, "/api/auth/password-reset/", None, Some(body)).await;
    let reset = link(running, "canarybob@example.com", "/reset-password/").await;
    Handed { people, personal, invitation, reset }
}

impl Handed {
    async fn is_worth_nothing(&self, running: &Running) {
        for token in [&self.people.ann, &self.people.bob, &self.personal] {
            let answer = running.call(Method::GET, "/api/core/projects/", Some(token), None).await;
            assert_eq!(answer.status(), 401);
        }
        let body = json!({"refresh": self.people.ann_refresh});
        running.json(400, Method::POST, "/api/auth/token/refresh/", None, Some(body)).await;
        let token = self.invitation.trim_matches('/').split('/').nth(1).unwrap();
        let body = json!({"token": token});
        let answer =
            running.call(Method::POST, "/api/auth/invitations/accept/", None, Some(body)).await;
        assert!(answer.status().is_client_error(), "{}", answer.status());
        let parts: Vec<&str> = self.reset.trim_matches('/').split('/').collect();
        let body = json!({"uid": parts[1], "token": parts[2], "new_password": PASSWORD,
            "confirm_password": PASSWORD});
        running
            .json(400, Method::POST, "/api/auth/password-reset-confirm/", None, Some(body))
            .await;
    }
}

/// An empty machine with the root key and the ledger of another one.
fn empty_machine(from: &Place) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.data()).unwrap();
    for name in ["root.key", "destroyed-keys.log"] {
        fs::copy(from.data().join(name), place.data().join(name)).unwrap();
    }
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_everything_back_but_what_must_not_come_back() {
    let old = Place::new();
    let running = old.serve();
    let people = People::arrive(&running).await;
    let organization = found_organization(&running, &people).await;
    let environment = keep_variables(&running, &people, organization).await;
    invite(&running, &people, organization, environment).await;
    register(&running, "erased", 201).await;
    link(&running, "erased@example.com", "/activate/").await;
    let handed = hand_out(&running, people, organization).await;
    // Profiles and members show when somebody signed in last.
    let answers = async |running: &Running, people: &People| {
        let mut seen = answers(running, people, organization, environment).await;
        seen.retain(|answer| !answer.contains("last_login"));
        seen
    };
    let before = answers(&running, &handed.people).await;
    let log = old.data().join("backup");
    let told = done(&old, &["backup", text(&log)]);
    assert!(told.contains("events") && told.contains("root key"), "{told}");
    // After the backup: somebody is erased.
    done(&old, &["users", "erase", "erased@example.com"]);
    assert_eq!(running.stop(), Some(0));

    let new = empty_machine(&old);
    let told = done(&new, &["restore", text(&log)]);
    assert!(
        !told.contains("\n0 keys") && told.contains("destroyed again, 1 tokens ended"),
        "{told}"
    );
    let running = new.serve();
    handed.is_worth_nothing(&running).await;
    assert_eq!(done(&new, &["mailbox"]), "", "a mail went out again");
    let (ann, ann_refresh) = sign_in(&running, "canaryann").await;
    let (bob, _) = sign_in(&running, "canarybob").await;
    let people = People { ann, ann_refresh, bob };
    for (before, after) in before.iter().zip(answers(&running, &people).await) {
        assert_eq!(after, *before);
    }
    // The erased person is unknown, and the address is free.
    let users = done(&new, &["users", "list"]);
    assert!(!users.contains("erased@example.com"), "{users}");
    register(&running, "erased", 201).await;
    link(&running, "erased@example.com", "/activate/").await;
    for check in [&["verify"][..], &["rebuild", "--check"], &["status"]] {
        done(&new, check);
    }
    assert_eq!(running.stop(), Some(0));
}

/// All files of a folder, as they are.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_nothing_is_changed() {
    let old = Place::new();
    let running = old.serve();
    register(&running, "ann", 201).await;
    let (log, keys) = (old.data().join("b"), old.data().join("b.keys"));
    done(&old, &["backup", text(&log)]);
    let again = refused(&old, &["backup", text(&log)]);
    assert!(again.contains("b.keys"), "{again}");
    let other = old.data().join("other");
    done(&old, &["backup", text(&other)]);
    assert_eq!(running.stop(), Some(0));

    let occupied = refused(&old, &["restore", text(&log)]);
    assert!(occupied.contains("restore into an empty one"), "{occupied}");
    let new = empty_machine(&old);
    let swapped = refused(&new, &["restore", text(&keys), "--keys", text(&log)]);
    assert!(swapped.contains("holds the keys, not the log"), "{swapped}");
    let mixed =
        refused(&new, &["restore", text(&log), "--keys", text(&old.data().join("other.keys"))]);
    assert!(mixed.contains("not of the same backup"), "{mixed}");
    let stranger = Place::new();
    stranger.serve().stop();
    fs::remove_dir_all(stranger.data().join("postgres")).unwrap();
    let wrong = refused(&stranger, &["restore", text(&log)]);
    assert!(wrong.contains("root key"), "{wrong}");
    let none = refused(&Place::new(), &["restore", text(&log)]);
    assert!(none.contains("root key"), "{none}");
    for (path, whole) in contents(&log).into_iter().chain(contents(&keys)) {
        let mut damaged = whole.clone();
        let is_manifest = path.ends_with("manifest.json");
        // A manifest is damaged at its end; a byte in the middle of a copy may be anything.
        let at = if is_manifest { whole.len() - 1 } else { whole.len() / 2 };
        match damaged.get_mut(at) {
            Some(byte) => *byte ^= 1,
            None => damaged.push(0),
        }
        fs::write(&path, &damaged).unwrap();
        let refusal = refused(&new, &["restore", text(&log)]);
        assert!(is_manifest || refusal.contains("is not what was written"), "{path:?}: {refusal}");
        fs::write(&path, &whole).unwrap();
    }
    fs::rename(log.join("manifest.json"), log.join("kept")).unwrap();
    let unfinished = refused(&new, &["restore", text(&log)]);
    assert!(unfinished.contains("no finished backup"), "{unfinished}");
    fs::rename(log.join("kept"), log.join("manifest.json")).unwrap();
    assert!(refused(&new, &["restore", "--in-place"]).contains("nothing to restore"));
    done(&new, &["restore", text(&log)]);
    assert!(done(&new, &["users", "list"]).contains("ann@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restore_is_not_served_and_goes_on_in_place() {
    let old = Place::new();
    let running = old.serve();
    let people = People::arrive(&running).await;
    let log = old.data().join("b");
    done(&old, &["backup", text(&log)]);
    assert_eq!(running.stop(), Some(0));

    // As far as the data is loaded, and no further.
    let new = empty_machine(&old);
    let config = Config { data_dir: new.data(), ..Config::default() };
    let database = Database::start(&config).await.unwrap();
    let pool = store_pool(&config, &database).await.unwrap();
    let roots = RootKeys::load(&config.root_file()).unwrap();
    let wanted = Wanted::Folders { log, keys: old.data().join("b.keys") };
    backup::restore(&pool, &config, &roots, &wanted, |_| {}).await.unwrap();
    pool.close().await;
    let refusal = Product::open(config, &database).await.err().unwrap().to_string();
    assert!(refusal.contains("keynest restore --in-place"), "{refusal}");
    database.stop().await.unwrap();

    let refusal = refused(&new, &["serve"]);
    assert!(refusal.contains("keynest restore --in-place"), "{refusal}");
    done(&new, &["restore", "--in-place"]);
    let running = new.serve();
    let answer = running.call(Method::GET, "/api/auth/profile/", Some(&people.ann), None).await;
    assert_eq!(answer.status(), 401);
    sign_in(&running, "canaryann").await;
    let life = done(&new, &["status"]);
    assert_eq!(running.stop(), Some(0));

    // What Postgres's own tools restored begins another life, too; not while somebody is at work.
    let running = new.serve();
    let token = sign_in(&running, "canaryann").await.0;
    let busy = refused(&new, &["restore", "--in-place"]);
    assert!(busy.contains("another") || busy.contains("in use"), "{busy}");
    assert_eq!(running.stop(), Some(0));
    done(&new, &["restore", "--in-place"]);
    assert_ne!(done(&new, &["status"]), life);
    let running = new.serve();
    let answer = running.call(Method::GET, "/api/auth/profile/", Some(&token), None).await;
    assert_eq!(answer.status(), 401);
    done(&new, &["rebuild", "--check"]);
}
