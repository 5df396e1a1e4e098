//! I10: what was taken away opens nothing a second later, on any replica. Each is asked until it has refused; whoever lets in
//! a question that was asked later than that is a scandal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::Value;

use crate::caller::Caller;

/// After this time no process may know what was taken away.
pub const WITHIN: Duration = Duration::from_secs(1);
/// A process that was killed meanwhile never answers.
const ASKED_FOR: Duration = Duration::from_secs(60);
/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Something that somebody may not do any more.
pub struct Withdrawn {
    pub what: &'static str,
    /// With the token that is not good for it any more.
    pub caller: Caller,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// When it was acknowledged that it is taken away.
    pub since: Instant,
    /// Set when it is about to be given back: nothing more can be told then.
    pub is_over: Arc<AtomicBool>,
}

impl Withdrawn {
    /// A look at something.
    pub fn look(what: &'static str, caller: Caller, path: &str) -> Self {
        let (method, since) = (Method::GET, Instant::now());
        Self {
            what,
            caller,
            method,
            path: path.to_owned(),
            body: None,
            since,
            is_over: Arc::default(),
        }
    }

    /// Until everybody who runs now has refused.
    pub async fn watch(self) {
        let asking = self.caller.balancer().all().into_iter().map(async |address| {
            let _ = tokio::time::timeout(ASKED_FOR, self.ask(address)).await;
        });
        join_all(asking).await;
    }

    async fn ask(&self, address: SocketAddr) {
        let mut every = tokio::time::interval(ASK_EVERY);
        loop {
            every.tick().await;
            let asked = Instant::now();
            let body = self.body.as_ref();
            let answer = self.caller.knock_with(address, &self.method, &self.path, body).await;
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            match answer {
                Some(200..300) if asked.duration_since(self.since) >= WITHIN => {
                    let late = asked.duration_since(self.since).as_millis();
                    let scandal = format!(
                        "I10 {address}: {} opened {} {late} ms later",
                        self.what, self.path
                    );
                    return self.caller.ledger().open().scandals.push(scandal);
                }
                // 429: the account is locked.
                Some(401 | 403 | 404 | 429) => {
                    self.caller.ledger().open().refusals += 1;
                    return;
                }
                // In time, or no answer that says anything.
                Some(_) | None => {}
            }
        }
    }
}
