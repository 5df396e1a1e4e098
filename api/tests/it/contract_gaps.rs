//! Rows of the contract that belong to no other file here.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::TestApp;
use crate::person::PASSWORD;

#[sqlx::test(migrations = false)]
async fn d34_a_sign_in_starts_one_session_and_appends_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let counts = "select count(distinct command_id), count(*) filter (where type = 'session.started') from store.events";
    let before: (i64, i64) = sqlx::query_as(counts).fetch_one(&app.store_pool).await.unwrap();
    let body = json!({"email": ann.email, "password": PASSWORD});
    let answer = app.post("/api/auth/login/").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let after: (i64, i64) = sqlx::query_as(counts).fetch_one(&app.store_pool).await.unwrap();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "appends, sessions");
}

#[sqlx::test(migrations = false)]
async fn health_says_that_the_process_lives(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let answer = app.get("/health/").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let alive: Value = answer.json().await.unwrap();
    assert_eq!(alive, json!({"status": "healthy", "service": "keynest", "version": "1.0.0"}));
}

#[sqlx::test(migrations = false)]
async fn the_root_names_what_is_there(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let answer = app.get("/api/").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let index: Value = answer.json().await.unwrap();
    for member in ["message", "version", "description"] {
        assert!(index[member].is_string(), "{index}");
    }
    assert_eq!(index["features"].as_array().unwrap().len(), 8, "{index}");
    for name in
        ["authentication", "organizations", "projects", "environments", "variables", "health"]
    {
        assert!(index["endpoints"][name].is_string(), "{name}: {index}");
    }
    for name in ["status", "config"] {
        let url = index["documentation"][name].as_str().unwrap();
        let path = url.find("/api/").map(|at| &url[at..]).unwrap();
        assert_eq!(app.get(path).send().await.unwrap().status(), 200, "{url}");
    }
}
