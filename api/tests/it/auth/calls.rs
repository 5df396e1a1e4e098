//! Short ways to call and to read answers.

use std::future::Future;

use keynest_store::Position;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::person::{PASSWORD, Person, link_path};

/// Requests sent at once in races.
pub const MANY: usize = 64;

/// Status and body; an empty body is null.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
}

pub async fn post(app: &TestApp, path: &str, body: Value) -> (u16, Value) {
    answer(app.post(path).json(&body)).await
}

pub async fn log_in(app: &TestApp, email: &str, password: &str) -> (u16, Value) {
    post(app, "/api/auth/login/", json!({ "email": email, "password": password })).await
}

pub async fn refresh(app: &TestApp, token: &str) -> (u16, Value) {
    post(app, "/api/auth/token/refresh/", json!({ "refresh": token })).await
}

pub async fn profile_status(app: &TestApp, access: &str) -> u16 {
    answer(app.get("/api/auth/profile/").bearer_auth(access)).await.0
}

/// Whether somebody can sign in with the usual password.
pub async fn can_log_in(app: &TestApp, person: &Person) -> bool {
    log_in(app, &person.email, PASSWORD).await.0 == 200
}

/// The two parts of the newest link that was mailed to an address.
pub async fn mailed_link(app: &TestApp, email: &str) -> (String, String) {
    let path = link_path(&app.mail_to(email).await.body_text);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    (parts[1].to_owned(), parts[2].to_owned())
}

/// Sends [`MANY`] requests at once and answers their statuses, sorted.
pub async fn race<F: Future<Output = u16> + Send + 'static>(make: impl Fn(usize) -> F) -> Vec<u16> {
    let tasks: Vec<_> = (0..MANY).map(|n| tokio::spawn(make(n))).collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

/// How many events of the log have a name.
pub async fn logged(app: &TestApp, name: &str) -> usize {
    let events = app.app.commands.store().read_all(Position::START, 10_000).await.unwrap();
    events.iter().filter(|event| &*event.name == name).count()
}
