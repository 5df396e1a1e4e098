//! A fuzzer that reads the description asks the real server, and every answer is as described.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::TestApp;
use crate::person::Person;

/// What makes a run repeatable; printed by schemathesis as well.
const SEED: &str = "20260131";
/// A run stops by itself long before, unless the server hangs.
const SECONDS_MAX: &str = "240";

/// Fewer requests than this are no test of more than fifty operations.
const CASES_MIN: u32 = 1_000;

#[sqlx::test(migrations = false)]
async fn schemathesis_finds_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    // Whoever administers the instance reaches more routes.
    app.grant(&ann).await;
    let leaver = app.sign_in("ann").await.access;
    // Whoever deletes or closes an account does it to this one.
    let goner = app.register_active("goner").await.access;
    let kept = belongings(&app, &ann, "kept").await;
    // Each from a tree of its own: what ends takes with it what is in it.
    let mut spare = json!({});
    for collection in ["organizations", "projects", "environments", "variables"] {
        spare[collection] = belongings(&app, &ann, collection).await[collection].clone();
    }
    let position = app.as_person(&ann, Method::POST, "/api/core/organizations/");
    let position = position.json(&json!({ "name": "position" })).send().await.unwrap();
    let position = position.headers()["keynest-position"].to_str().unwrap().to_owned();
    let known = json!({ "kept": kept, "spare": spare, "position": position });
    let location = app.url(keynest_api::DOCUMENT_PATH);
    // The server runs on this thread, so the fuzzer waits on another.
    let run = tokio::task::spawn_blocking(move || {
        fuzz(&location, [&ann.access, &leaver, &goner], &known)
    });
    let output = run.await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "seed {SEED}\n{text}\n{errors}");
    assert!(generated(&text) > CASES_MIN, "it did not ask enough\n{text}");
}

/// The number in front of the word.
fn generated(text: &str) -> u32 {
    let before = text.split(" generated").next().unwrap_or_default();
    before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn fuzz(location: &str, [token, leaver, goner]: [&str; 3], known: &Value) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join(".tools/venv/bin/schemathesis");
    assert!(program.exists(), "{} is missing: run `scripts/install-needs test`", program.display());
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi");
    let folder = tempfile::tempdir().unwrap();
    Command::new("timeout")
        .args(["--kill-after=5", SECONDS_MAX])
        .arg(program)
        .args(["--no-color", "--config-file"])
        .arg(here.join("schemathesis.toml"))
        .args(["run", location, "--seed", SEED])
        .env("KEYNEST_KNOWN", known.to_string())
        .env("KEYNEST_TOKEN", token)
        .env("KEYNEST_LEAVER", leaver)
        .env("KEYNEST_GONER", goner)
        .env("KEYNEST_HOOKS", here.join("schemathesis_hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // The fuzzer keeps its finds where it runs.
        .current_dir(folder.path())
        .output()
        .unwrap()
}

/// An organization with all that can be in it, by name of the collection.
async fn belongings(app: &TestApp, ann: &Person, name: &str) -> Value {
    let mut ids = json!({});
    let organization = json!({ "name": name });
    ids["organizations"] = make(app, ann, "organizations", organization).await;
    let project = json!({ "name": name, "organization": ids["organizations"] });
    ids["projects"] = make(app, ann, "projects", project).await;
    let environment = json!({ "name": name, "project": ids["projects"] });
    ids["environments"] = make(app, ann, "environments", environment).await;
    let variable = json!({ "key": "KEY", "value": "value", "environment": ids["environments"] });
    ids["variables"] = make(app, ann, "variables", variable).await;
    ids
}

async fn make(app: &TestApp, ann: &Person, collection: &str, wish: Value) -> Value {
    let request = app.as_person(ann, Method::POST, &format!("/api/core/{collection}/"));
    let made = request.json(&wish).send().await.unwrap();
    assert_eq!(made.status(), 201, "{collection}");
    made.json::<Value>().await.unwrap()["id"].clone()
}
