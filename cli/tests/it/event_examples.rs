//! The programs of docs/examples over HTTP and over NATS: what they count is what the log has, whatever interrupts them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

#[path = "../../../docs/examples/event_consumer.rs"]
mod event_consumer;

use crate::feed_grpc::{certificate, feed_address, with_certificate};
use crate::journey::{People, found_organization, keep_variables};
use crate::nats_server::NatsServer;
use crate::running::{Place, Running};
use event_consumer::{Counts, over_http, over_nats};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long somebody listens who believes to have heard everything.
const SILENCE: Duration = Duration::from_millis(200);

type ByType = BTreeMap<String, u64>;

fn by_type<'a>(events: impl IntoIterator<Item = &'a Value>) -> ByType {
    let mut counts = ByType::new();
    for event in events {
        *counts.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

impl Place {
    /// What the relay carries: all but reveals.
    fn relayed(&self) -> ByType {
        let output = self.run(&["replay"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let all: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        by_type(all.iter().filter(|it| !it["stream"].as_str().unwrap().starts_with("access-")))
    }
}

/// The Python of `.tools/venv`, which has nats-py.
fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/venv/bin/python");
    if own.exists() { own } else { "python3".into() }
}

fn analytics(database: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/analytics.py");
    let mut command = Command::new(python());
    command.arg(example).arg(database).args(arguments).envs(variables.iter().copied());
    command.env("BATCH", "4").stdout(Stdio::piped());
    command
}

/// Runs the Python example to the end of the feed, and answers what its table has.
fn counted(database: &Path, variables: &[(&str, &str)]) -> ByType {
    let ran = analytics(database, variables, &["--once"]).stderr(Stdio::piped()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let query = "import json, sqlite3, sys; print(json.dumps(dict(sqlite3.connect(sys.argv[1]).execute(\
                 'select type, sum(count) from deeds group by type').fetchall())))";
    let told = Command::new(python()).args(["-c", query]).arg(database).output().unwrap();
    serde_json::from_slice(&told.stdout).unwrap()
}

/// Starts the Python example and kills it when it has said that it took something.
fn killed_on_the_way(database: &Path, variables: &[(&str, &str)]) {
    let mut child = analytics(database, variables, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with(" events"));
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn journey(running: &Running) -> (People, i64) {
    let people = People::arrive(running).await;
    let organization = found_organization(running, &people).await;
    keep_variables(running, &people, organization).await;
    (people, organization)
}

async fn more(running: &Running, people: &People, organization: i64) {
    for name in ["one", "two", "three"] {
        let wish = json!({"name": name, "organization": organization});
        running.json(201, Method::POST, "/api/core/projects/", Some(&people.ann), Some(wish)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_count_each_event_once_over_http() {
    let place = Place::new();
    let running = place.serve();
    let (people, organization) = journey(&running).await;
    let folder = tempfile::tempdir().unwrap();
    let (database, file) = (folder.path().join("analytics.db"), folder.path().join("counts.json"));
    let url = format!("http://{}", running.address);
    let variables = [("KEYNEST_URL", url.as_str()), ("KEYNEST_TOKEN", people.ann.as_str())];
    killed_on_the_way(&database, &variables);
    assert!(over_http(&url, &people.ann, 0, &file).await.unwrap() > 0);
    more(&running, &people, organization).await;

    let all = running.call(Method::GET, "/api/events/?limit=1000", Some(&people.ann), None).await;
    let all = all.text().await.unwrap();
    let all: Vec<Value> = all.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(counted(&database, &variables), by_type(&all));
    assert_eq!(counted(&database, &variables), by_type(&all), "nothing twice");
    while over_http(&url, &people.ann, 0, &file).await.unwrap() > 0 {}
    assert_eq!(Counts::load(&file).unwrap().events, by_type(&all));
}

/// The Node example, and the Node that has what it needs.
fn node(file: &Path, url: &str, arguments: &[&str]) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = here.join("../.tools/test-clients");
    let own = packages.join("bin/node");
    let mut command = Command::new(if own.exists() { own } else { "node".into() });
    command.arg(here.join("../docs/examples/analytics.mjs")).arg(file).args(arguments);
    command.current_dir(packages).env("KEYNEST_GRPC", url).stdout(Stdio::piped());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_count_each_event_once_over_grpc() {
    let place = Place::new();
    let tls = with_certificate(&place);
    let grpc = [
        ("KEYNEST_FEED_GRPC_LISTEN", "127.0.0.1:0"),
        (tls[0].0, tls[0].1.as_str()),
        (tls[1].0, tls[1].1.as_str()),
    ];
    let running = place.serve_with(&grpc);
    let (people, organization) = journey(&running).await;
    let folder = tempfile::tempdir().unwrap();
    let (database, file) = (folder.path().join("analytics.db"), folder.path().join("counts.json"));
    let trusted = certificate(&place);
    let url = || {
        let address = feed_address(&place);
        format!("kurrentdb://ann:{}@{address}?tls=true&tlsCaFile={trusted}", people.ann)
    };
    let before = url();
    killed_on_the_way(&database, &[("KEYNEST_GRPC", &before)]);
    let mut child = node(&file, &before, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1 events");
    child.kill().unwrap();
    child.wait().unwrap();
    running.kill_group();

    let running = place.serve_with(&grpc);
    more(&running, &people, organization).await;
    let all = running.call(Method::GET, "/api/events/?limit=1000", Some(&people.ann), None).await;
    let all = all.text().await.unwrap();
    let all: Vec<Value> = all.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let url = url();
    for _ in 0..2 {
        assert_eq!(counted(&database, &[("KEYNEST_GRPC", &url)]), by_type(&all));
        let ran = node(&file, &url, &["--once"]).stderr(Stdio::piped()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let counts: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(counts["events"], json!(by_type(&all)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_count_each_event_once_over_nats() {
    let (place, mut nats) = (Place::new(), NatsServer::start());
    let url = nats.url();
    let running = place.serve_with(&[("KEYNEST_NATS_URL", &url)]);
    let (people, organization) = journey(&running).await;
    let folder = tempfile::tempdir().unwrap();
    let (database, file) = (folder.path().join("analytics.db"), folder.path().join("counts.json"));
    let variables = [("NATS_URL", url.as_str())];
    killed_on_the_way(&database, &variables);
    over_nats(&url, SILENCE, &file).await.unwrap();
    nats.restart();
    more(&running, &people, organization).await;

    let sum = |counts: &ByType| counts.values().sum::<u64>();
    let all = place.relayed();
    let heard = async {
        while sum(&Counts::load(&file).unwrap().events) < sum(&all) {
            over_nats(&url, SILENCE, &file).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("all of it comes");
    assert_eq!(Counts::load(&file).unwrap().events, all);
    assert_eq!(counted(&database, &variables), all);
    assert_eq!(counted(&database, &variables), all, "nothing twice");
    assert_eq!(over_nats(&url, SILENCE, &file).await.unwrap(), 0);
}
