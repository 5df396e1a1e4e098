//! One caller behind the balancer: sends each change until its outcome is known, always with the same key.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::ledger::{Ledger, Line, Outcome, Reveal, What};

/// Who gets no answer in this time does not know what became of the request.
const ANSWER_MAX: Duration = Duration::from_secs(6);
/// Between two tries.
const RETRY_EVERY: Duration = Duration::from_millis(50);

/// Where the requests go: round-robin over whoever there is.
#[derive(Clone, Default)]
pub struct Balancer {
    backends: Arc<RwLock<Vec<SocketAddr>>>,
    turn: Arc<AtomicUsize>,
}

impl Balancer {
    pub fn set(&self, backends: Vec<SocketAddr>) {
        *self.backends.write().unwrap() = backends;
    }

    pub fn all(&self) -> Vec<SocketAddr> {
        self.backends.read().unwrap().clone()
    }

    fn pick(&self) -> Option<SocketAddr> {
        let backends = self.backends.read().unwrap();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        backends.get(turn % backends.len().max(1)).copied()
    }
}

/// A final answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub request: String,
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn id(&self) -> i64 {
        self.body["id"].as_i64().unwrap_or_else(|| panic!("an id in {self:?}"))
    }
}

#[derive(Clone)]
pub struct Caller {
    http: Client,
    balancer: Balancer,
    ledger: Ledger,
    name: String,
    keys: u64,
    pub token: Option<String>,
}

impl Caller {
    pub fn new(name: &str, balancer: &Balancer, ledger: &Ledger) -> Self {
        let http = Client::builder().timeout(ANSWER_MAX).build().unwrap();
        let (balancer, ledger) = (balancer.clone(), ledger.clone());
        Self { http, balancer, ledger, name: name.to_owned(), keys: 0, token: None }
    }

    /// The same caller at another address.
    pub fn at(&self, address: std::net::IpAddr) -> Self {
        let http = Client::builder().timeout(ANSWER_MAX).local_address(address).build().unwrap();
        Self { http, ..self.clone() }
    }

    /// A change: sent until it is known what became of it.
    pub async fn change(&mut self, what: What, method: Method, path: &str, body: &Value) -> Answer {
        self.keys += 1;
        let key = format!("{}-{}", self.name, self.keys);
        let line =
            Line { key: key.clone(), what, sent: 0, outcome: Outcome::Unknown, events: 1, made: 0 };
        let place = {
            let mut book = self.ledger.open();
            book.lines.push(line);
            book.lines.len() - 1
        };
        let mut every = tokio::time::interval(RETRY_EVERY);
        loop {
            every.tick().await;
            self.ledger.open().lines[place].sent += 1;
            let Some(answer) = self.try_once(&method, path, Some(body), Some(&key)).await else {
                continue;
            };
            let events = events(&answer);
            let outcome = if answer.is_ok() {
                Outcome::Ok
            } else {
                Outcome::Refused(answer.body["code"].as_str().unwrap_or("?").to_owned())
            };
            let mut book = self.ledger.open();
            book.acknowledged += u64::from(answer.is_ok());
            book.events += events * u64::from(answer.is_ok());
            let line = &mut book.lines[place];
            (line.outcome, line.events) = (outcome, events);
            line.made = answer.body["imported_count"].as_i64().unwrap_or(0);
            return answer;
        }
    }

    /// A question, asked until there is an answer.
    pub async fn look(&self, path: &str) -> Answer {
        let mut every = tokio::time::interval(RETRY_EVERY);
        loop {
            every.tick().await;
            if let Some(answer) = self.try_once(&Method::GET, path, None, None).await {
                return answer;
            }
        }
    }

    /// A look at values, which the audit log must know of.
    pub async fn reveal(&self, path: &str) -> Answer {
        let answer = self.look(path).await;
        let rows = answer.body["results"].as_array();
        // A list, or an export.
        let has_values = rows.map_or(answer.body.is_object(), |rows| !rows.is_empty());
        if answer.is_ok() && has_values {
            let request = answer.request.clone();
            self.ledger.open().reveals.push(Reveal { request });
        }
        answer
    }

    /// Sends it once; `None` if there was no final answer.
    async fn try_once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Option<Answer> {
        self.ledger.open().sent += 1;
        let Some(address) = self.balancer.pick() else {
            self.ledger.open().unanswered += 1;
            return None;
        };
        let mut request = self.http.request(method.clone(), format!("http://{address}{path}"));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answered = async { self.read(request.send().await.ok()?, method, path).await };
        let answer = answered.await;
        if answer.is_none() {
            self.ledger.open().unanswered += 1;
        }
        answer
    }

    async fn read(&self, response: Response, method: &Method, path: &str) -> Option<Answer> {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let request = header("x-request-id").unwrap_or_default();
        let has_retry_after = header("retry-after").is_some();
        let text = response.text().await.ok()?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status == 429 || status == 503 {
            let mut book = self.ledger.open();
            book.shed += 1;
            if !has_retry_after && body["code"] != "timed_out" {
                book.scandals.push(format!("I12 no Retry-After: {method} {path}: {text}"));
            }
            return None;
        }
        if status >= 500 {
            let scandal = format!("I8 {method} {path}: {status} {text}");
            self.ledger.open().scandals.push(scandal);
            return None;
        }
        Some(Answer { status, body, request })
    }

    /// One try at one process, whatever comes of it: a status, or none.
    pub async fn knock(&self, address: SocketAddr, path: &str) -> Option<u16> {
        self.knock_with(address, &Method::GET, path, None).await
    }

    pub async fn knock_with(
        &self,
        address: SocketAddr,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<u16> {
        let mut request = self.http.request(method.clone(), format!("http://{address}{path}"));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Some(request.send().await.ok()?.status().as_u16())
    }

    pub fn balancer(&self) -> &Balancer {
        &self.balancer
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// An import tells how many variables it made and changed; it has an event of its own, too.
fn events(answer: &Answer) -> u64 {
    let count = |name: &str| answer.body[name].as_u64();
    1 + count("imported_count").unwrap_or(0) + count("overwritten_count").unwrap_or(0)
}
