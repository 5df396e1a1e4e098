//! What one call did, all of it: the answer's bytes, the hashes, the statements, the appends (D27, THREATS A7). Two calls
//! that a stranger must not tell apart have equal deeds.

use std::net::SocketAddr;

use keynest_api::App;
use keynest_domain::UserId;
use keynest_store::Position;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::calls::post;
use crate::app::{Replica, TestApp};
use crate::sql::{Listening, Statements};

/// What differs between any two answers: time, request, counters of the throttles.
const FLEETING: [&str; 7] = [
    "date",
    "keynest-position",
    "ratelimit",
    "x-ratelimit-reset",
    "x-request-id",
    "x-response-time",
    "x-timestamp",
];

/// What one call made the product do, and say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub status: u16,
    /// Status, headers and body, without what differs between any two answers.
    pub bytes: String,
    pub hashes: u64,
    /// Of passkeys, compared.
    pub signatures: u64,
    pub appends: usize,
    /// In the order in which they were sent.
    pub statements: Vec<String>,
}

/// Hears what the product does.
pub struct Witness<'a> {
    pub app: &'a TestApp,
    statements: Statements,
    _listening: Listening,
}

/// Another process that has just begun, and so remembers nothing of anybody.
pub struct Cold(Replica);

impl<'a> Witness<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        let statements = Statements::default();
        let listening = statements.listen();
        Self { app, statements, _listening: listening }
    }

    /// Posts, and tells what was done. What the caller sent is masked in the answer.
    pub async fn post(&self, path: &str, body: Value, mask: &str) -> Deed {
        self.tell(&self.app.app, self.app.post(path).json(&body), mask).await
    }

    /// The same for any request to the first process.
    pub async fn send(&self, request: RequestBuilder, mask: &str) -> Deed {
        self.tell(&self.app.app, request, mask).await
    }

    /// The same on a process that knows the routes, but nobody.
    pub async fn post_cold(&self, cold: &Cold, path: &str, body: Value, mask: &str) -> Deed {
        let request = self.app.client.post(url(cold.0.address, path)).json(&body);
        self.tell(&cold.0.app, request, mask).await
    }

    /// Begins a process. It has seen a call for somebody without an account; of these people not even a key is known.
    pub async fn cold(&self, path: &str, warm_up: Value, people: &[i64]) -> Cold {
        let replica = self.app.replica().await;
        let request = self.app.client.post(url(replica.address, path)).json(&warm_up);
        assert_ne!(request.send().await.unwrap().status(), 404, "{path}");
        let keyring = self.app.app.commands.keyring();
        for id in people {
            let subject = keynest_crypto::Subject::User(UserId::new(*id));
            keyring.forget(&[keyring.key_of(subject).await.unwrap().unwrap()]);
        }
        // The key of the day is everybody's: it is known again.
        let nobody = json!({"email": "nobody.at.all@example.com"});
        post(self.app, "/api/auth/activation/resend/", nobody).await;
        Cold(replica)
    }

    async fn tell(&self, app: &App, request: RequestBuilder, mask: &str) -> Deed {
        let (hashes, signatures) = (app.commands.hashes(), app.commands.signatures());
        let appends = self.appends().await;
        self.statements.take();
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let header = |(name, value): (&HeaderName, &HeaderValue)| match FLEETING {
            known if known.contains(&name.as_str()) => format!("{name}: …"),
            _ => format!("{name}: {}", value.to_str().unwrap()),
        };
        let mut headers: Vec<String> = response.headers().iter().map(header).collect();
        headers.sort();
        let text = response.text().await.unwrap();
        let statements = self.statements.take().iter().map(|it| short(it)).collect();
        let mut told: Value = serde_json::from_str(&text).unwrap_or(json!({ "text": text }));
        told.as_object_mut().unwrap().remove("request_id");
        mask_fleeting(&mut told);
        Deed {
            status,
            bytes: format!("{status} {headers:?} {told}").replace(mask, "…"),
            hashes: app.commands.hashes() - hashes,
            signatures: app.commands.signatures() - signatures,
            appends: self.appends().await - appends,
            statements,
        }
    }

    async fn appends(&self) -> usize {
        let log = self.app.app.commands.store().read_all(Position::START, 100_000).await.unwrap();
        let ids: std::collections::HashSet<_> = log.iter().map(|event| event.command_id).collect();
        ids.len()
    }
}

/// Ids, times and what is sealed are different each time.
fn mask_fleeting(told: &mut Value) {
    match told {
        Value::String(text) => {
            let is_time = text.len() > 19 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            if is_time || text.parse::<uuid::Uuid>().is_ok() {
                *text = "…".to_owned();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(mask_fleeting),
        Value::Object(fields) => {
            if let Some(sealed) = fields.get_mut("challenge").filter(|it| it.is_string()) {
                *sealed = json!("…");
            }
            fields.values_mut().for_each(mask_fleeting);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

/// Enough of a statement to know it by.
fn short(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    words.join(" ").chars().take(160).collect()
}

/// Fails with the first two that differ.
#[track_caller]
pub fn assert_same(what: &str, deeds: &[(String, Deed)]) {
    let (first, rest) = deeds.split_first().expect("there is something to compare");
    for other in rest {
        assert!(first.1 == other.1, "{what}: {first:#?}\n{other:#?}");
    }
}
