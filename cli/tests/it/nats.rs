//! `nats.url`: NATS JetStream carries the feed. What happens to NATS delays mails at most, and neither commands nor queries.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::nats_server::NatsServer;
use crate::running::{Place, Running, signal};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct-Horse-7-battery";

impl Running {
    async fn register(&self, name: &str) {
        let account = json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
            "confirm_password": PASSWORD, "first_name": "", "last_name": ""});
        self.json(201, Method::POST, "/api/auth/register/", None, Some(account)).await;
    }

    async fn text(&self, path: &str) -> String {
        self.call(Method::GET, path, None, None).await.text().await.unwrap()
    }

    /// Mails in the development mailbox to somebody.
    async fn mails_to(&self, name: &str) -> usize {
        self.text("/dev/mailbox/").await.matches(&format!("{name}@example.com")).count()
    }

    /// Each request paces the loop.
    async fn until_mailed(&self, name: &str) {
        let mailed = async { while self.mails_to(name).await == 0 {} };
        tokio::time::timeout(PATIENCE, mailed).await.expect("the mail comes");
    }

    async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.text("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.parse().ok()
    }

    async fn until_metric(&self, name: &str, is_reached: impl Fn(f64) -> bool) {
        let reached = async { while !self.metric(name).await.is_some_and(&is_reached) {} };
        tokio::time::timeout(PATIENCE, reached).await.expect(name);
    }

    /// A command was answered already; a query is, too, and it is not for NATS to say whether this process is ready.
    async fn answers(&self) {
        let body = json!({"email": "first@example.com", "password": PASSWORD});
        self.json(200, Method::POST, "/api/auth/login/", None, Some(body)).await;
        self.json(200, Method::GET, "/health/ready", None, None).await;
    }

    async fn activate(&self, name: &str) {
        let mail = self.text(&format!("/dev/mailbox/latest/?to={name}@example.com")).await;
        let link = mail.lines().find(|line| line.contains("/activate/")).unwrap();
        let parts: Vec<&str> = link.trim_matches('/').split('/').rev().collect();
        let body = json!({"uid": parts[1], "token": parts[0]});
        self.json(200, Method::POST, "/api/auth/activate/", None, Some(body)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_come_by_nats_and_once_and_nothing_else_waits_for_it() {
    let (place, mut nats) = (Place::new(), NatsServer::start());
    let url = nats.url();
    // The log is not asked of the mailer's own accord: what is mailed while NATS is well came by it.
    let variables = [
        ("KEYNEST_NATS_URL", url.as_str()),
        ("KEYNEST_NATS_POLL_MS", "3600000"),
        ("KEYNEST_NATS_HEARTBEAT_MS", "500"),
        ("KEYNEST_NATS_REQUEST_TIMEOUT_MS", "1000"),
    ];
    let running = place.serve_with(&variables);
    running.register("first").await;
    running.until_mailed("first").await;
    running.activate("first").await;
    running.until_metric("keynest_relay_events_total", |events| events >= 2.0).await;
    running.until_metric("keynest_nats_connected", |is| is == 1.0).await;

    nats.kill();
    running.register("while_it_is_away").await;
    running.answers().await;
    nats.restart_empty();
    running.until_mailed("while_it_is_away").await;

    running.until_metric("keynest_nats_connected", |is| is == 1.0).await;
    nats.pause();
    running.register("while_it_is_paused").await;
    running.answers().await;
    nats.resume();
    running.until_mailed("while_it_is_paused").await;

    nats.restart();
    running.register("after_all_that").await;
    running.until_mailed("after_all_that").await;
    running.until_metric("keynest_relay_lag_events", |behind| behind == 0.0).await;
    for name in ["while_it_is_away", "while_it_is_paused", "after_all_that"] {
        assert_eq!(running.mails_to(name).await, 1, "{name}");
    }
    assert_eq!(running.stop(), Some(0));

    // And back to the store itself: the mailer goes on where it stood.
    let running = place.serve();
    running.register("without_nats").await;
    running.until_mailed("without_nats").await;
    assert_eq!(running.mails_to("after_all_that").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_a_process_of_their_own_attach_to_nats() {
    let (place, nats) = (Place::new(), NatsServer::start());
    let mut command = place.keynest(&["work"]);
    command
        .env("KEYNEST_NATS_URL", nats.url())
        .env("KEYNEST_NATS_POLL_MS", "3600000")
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut missing =
        vec!["relay writes the log to JetStream", "attached to JetStream", "KeyNest is ready"];
    while !missing.is_empty() {
        let line = lines.next().unwrap_or_else(|| panic!("it ended without: {missing:?}"));
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        missing.retain(|message| said["message"] != *message);
    }
    signal("TERM", &child.id().to_string());
    assert!(child.wait().unwrap().success());
}
