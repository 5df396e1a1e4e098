//! What is served is described, and what is described is served.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keynest_api::{EdgeSettings, edge};
use reqwest::Method;
use sqlx::PgPool;

use super::document::{Document, METHODS, example_path};
use crate::app::TestApp;

/// Served for browsers and for whoever runs the process; not part of the API.
const NOT_THE_API: [&str; 20] = [
    "/",
    "/accept-invitation/{token}/",
    "/activate/{uid}/{token}/",
    "/api/auth/oauth/{provider}/callback/",
    "/api/auth/oauth/{provider}/start/",
    "/api/docs",
    "/api/docs/",
    "/api/docs/{*rest}",
    "/api/openapi.json",
    "/assets/page.css",
    "/cancel-email/{uid}/{token}/",
    "/confirm-email/{uid}/{token}/",
    "/dev/mailbox/",
    "/dev/mailbox/latest/",
    "/dev/mailbox/{id}/",
    "/dev/mailbox/{id}/html/",
    "/health/ready/",
    "/metrics/",
    "/reset-password/{uid}/{token}/",
    "/undo-email/{uid}/{token}/",
];

#[sqlx::test(migrations = false)]
async fn served_routes_and_document_agree(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    for operation in document.operations() {
        let method: Method = operation.method.parse().unwrap();
        let answer = app.request(method, &operation.example_path()).send().await.unwrap();
        let (status, name) = (answer.status().as_u16(), operation.name());
        if operation.needs_token() {
            let code = answer.json::<serde_json::Value>().await.unwrap()["code"].clone();
            assert_eq!((status, code), (403, "credentials_missing".into()), "{name}");
        } else {
            assert!(![401, 403, 404, 405].contains(&status), "{name} answered {status}");
        }
        assert!(operation.answers().contains_key(&status.to_string()), "{name} answered {status}");
    }
}

#[sqlx::test(migrations = false)]
async fn methods_that_are_not_described_are_not_allowed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    let mut asked = 0;
    for (path, item) in document.paths() {
        let mut there: BTreeSet<String> = METHODS
            .iter()
            .filter(|it| item.contains_key(**it))
            .map(|it| it.to_uppercase())
            .collect();
        there.insert("OPTIONS".to_owned());
        if there.contains("GET") {
            there.insert("HEAD".to_owned());
        }
        for method in METHODS.iter().filter(|method| !item.contains_key(**method)) {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = app.request(method.clone(), &example_path(path)).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            let allow = answer.headers()["allow"].to_str().unwrap().split(',');
            let allow: BTreeSet<String> = allow.map(|name| name.trim().to_owned()).collect();
            assert_eq!(allow, there, "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 50, "most paths have methods that they refuse");
}

#[sqlx::test(migrations = false)]
async fn every_path_of_the_router_is_described(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    let served = format!("{:?}", edge(app.app.clone(), &EdgeSettings::default()));
    let served: BTreeSet<&str> = served
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("__private"))
        .collect();
    let described: BTreeSet<&str> = document.paths().into_keys().collect();
    assert!(
        described.len() > 30 && described.is_subset(&served),
        "the router's paths were found: {served:?}"
    );
    let others: BTreeSet<&str> = served.difference(&described).copied().collect();
    let strangers: Vec<_> = others.iter().filter(|path| !NOT_THE_API.contains(path)).collect();
    assert!(strangers.is_empty(), "not in the description: {strangers:?}");
}

#[sqlx::test(migrations = false)]
async fn every_described_handler_is_routed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    let mut annotations = 0;
    for (path, text) in sources() {
        let here = text.matches("#[utoipa::path(").count();
        if text.contains("pub async fn handle(") {
            assert!(here > 0, "{} has a handler without a description", path.display());
        }
        annotations += here;
    }
    assert_eq!(annotations, document.operations().len());
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
    files
}
