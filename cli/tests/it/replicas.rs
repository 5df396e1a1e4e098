//! Two of each process on one Postgres: killed, paused, and replaced one by one under load.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::journey::{People, found_organization, keep_variables, link};
use crate::running::{Place, Running, signal};

/// Longer than a balancer needs to look away, also on a busy machine.
const DRAIN_DELAY: (&str, &str) = ("KEYNEST_HTTP_DRAIN_DELAY_MS", "3000");
/// Between two looks of the balancer.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Who does not answer in this time is not ready.
const LOOK_MAX: Duration = Duration::from_secs(5);
const CLIENTS: usize = 8;

/// A database of its own, and the machine that the processes share.
pub struct Cluster {
    pub place: Place,
    pub url: String,
}

impl Cluster {
    pub async fn new() -> Self {
        let cluster = Self::unmade().await;
        let migrated = cluster.command(&["migrate"]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        cluster
    }

    /// With an empty database.
    pub async fn unmade() -> Self {
        let server = std::env::var("DATABASE_URL").unwrap();
        let place = Place::new();
        // Of this run only, as the folder is.
        let folder = place.data().parent().unwrap().to_string_lossy().to_lowercase();
        let name = format!("replicas_{}", folder.rsplit('.').next().unwrap());
        let options: PgConnectOptions = server.parse().unwrap();
        let mut connection = options.clone().connect().await.unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let url = options.database(&name).to_url_lossy().to_string();
        Self { place, url }
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Output {
        self.place.keynest(arguments).env("DATABASE_URL", &self.url).output().unwrap()
    }

    pub fn start(&self, part: &str) -> Running {
        self.start_with(part, &[])
    }

    pub fn start_with(&self, part: &str, more: &[(&str, &str)]) -> Running {
        let many = ("KEYNEST_THROTTLE_USER_PER_HOUR", "0");
        let organization = ("KEYNEST_THROTTLE_ORGANIZATION_PER_HOUR", "0");
        let mut variables =
            vec![("DATABASE_URL", self.url.as_str()), DRAIN_DELAY, many, organization];
        variables.extend(more);
        self.place.start(part, &variables)
    }

    pub fn is_sound(&self) {
        for check in [&["rebuild", "--check"][..], &["verify"]] {
            let output = self.command(check);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

pub async fn register(api: &Running, name: &str) {
    let account = json!({"username": name, "email": format!("{name}@example.com"),
        "password": "canary-Passw0rd-x7Q2", "confirm_password": "canary-Passw0rd-x7Q2"});
    api.json(201, Method::POST, "/api/auth/register/", None, Some(account)).await;
}

async fn mails_to(api: &Running, name: &str) -> usize {
    let path = format!("/dev/mailbox/?to={name}@example.com");
    let page = api.call(Method::GET, &path, None, None).await.text().await.unwrap();
    page.matches(&format!("{name}@example.com")).count()
}

pub async fn create(api: &Running, token: &str, environment: i64, key: &str) {
    let body = json!({"key": key, "value": "v", "environment": environment});
    api.json(201, Method::POST, "/api/core/variables/", Some(token), Some(body)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_is_taken_over_from() {
    let cluster = Cluster::new().await;
    let [first, second] = [cluster.start("api"), cluster.start("api")];
    let projects = [cluster.start("project"), cluster.start("project")];
    let workers = [cluster.start("work"), cluster.start("work")];
    let people = People::arrive(&first).await;
    let organization = found_organization(&first, &people).await;
    let environment = keep_variables(&first, &people, organization).await;
    // Whichever leads: each of the pair is killed in a turn of its own.
    let (mut projects, mut workers) = (Vec::from(projects), Vec::from(workers));
    for turn in 0..2 {
        projects.remove(0).kill_group();
        workers.remove(0).kill_group();
        create(&second, &people.ann, environment, &format!("AFTER_{turn}")).await;
        let path = format!("/api/core/environments/{environment}/variables/");
        let listed = second.json(200, Method::GET, &path, Some(&people.ann), None).await;
        assert!(listed.to_string().contains(&format!("AFTER_{turn}")), "{listed}");
        let name = format!("taken{turn}");
        register(&second, &name).await;
        link(&second, &format!("{name}@example.com"), "/activate/").await;
        projects.push(cluster.start("project"));
        workers.push(cluster.start("work"));
    }
    first.kill_group();
    register(&second, "last").await;
    link(&second, "last@example.com", "/activate/").await;
    cluster.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_paused_writes_nothing_stale() {
    let cluster = Cluster::new().await;
    let api = cluster.start("api");
    let projects = [cluster.start("project"), cluster.start("project")];
    let workers = [cluster.start("work"), cluster.start("work")];
    let people = People::arrive(&api).await;
    let organization = found_organization(&api, &people).await;
    let environment = keep_variables(&api, &people, organization).await;
    for (turn, (project, worker)) in projects.iter().zip(&workers).enumerate() {
        let paused = [project.pid().to_string(), worker.pid().to_string()];
        paused.iter().for_each(|pid| signal("STOP", pid));
        for number in 0..50 {
            create(&api, &people.ann, environment, &format!("KEY_{turn}_{number}")).await;
        }
        register(&api, &format!("paused{turn}")).await;
        paused.iter().for_each(|pid| signal("CONT", pid));
        link(&api, &format!("paused{turn}@example.com"), "/activate/").await;
    }
    let path = format!("/api/core/environments/{environment}/variables/");
    let listed = api.json(200, Method::GET, &path, Some(&people.ann), None).await;
    assert_eq!(listed["count"], 103, "three of the journey and a hundred");
    for process in projects.into_iter().chain(workers) {
        assert_eq!(process.stop(), Some(0));
    }
    cluster.is_sound();
    for turn in 0..2 {
        let single = mails_to(&api, "canaryann").await;
        assert_eq!(
            mails_to(&api, &format!("paused{turn}")).await,
            single / 2,
            "one mail, not {turn}"
        );
    }
}

/// Sends requests to whoever says that it is ready, as a balancer does.
#[derive(Clone, Default)]
struct Balancer {
    backends: Arc<Mutex<BTreeSet<SocketAddr>>>,
    ready: Arc<watch::Sender<Vec<SocketAddr>>>,
    turn: Arc<AtomicUsize>,
}

impl Balancer {
    fn add(&self, api: &Running) {
        self.backends.lock().unwrap().insert(api.address);
    }

    async fn watch(self) {
        let client = Client::builder().timeout(LOOK_MAX).build().unwrap();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            let backends = self.backends.lock().unwrap().clone();
            let (mut ready, mut alive) = (Vec::new(), Vec::new());
            for address in backends {
                let answer = client.get(format!("http://{address}/health/ready")).send().await;
                let Ok(answer) = answer else { continue };
                alive.push(address);
                if answer.status() == 200 {
                    ready.push(address);
                }
            }
            // Where nobody is, as on a machine that is too busy, balancers go on with whoever answers at all.
            self.ready.send_replace(if ready.is_empty() { alive } else { ready });
        }
    }

    fn pick(&self) -> Option<SocketAddr> {
        let ready = self.ready.borrow();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        ready.get(turn % ready.len().max(1)).copied()
    }

    async fn takes_in(&self, api: &Running) {
        let mut ready = self.ready.subscribe();
        ready.wait_for(|ready| ready.contains(&api.address)).await.unwrap();
    }
}

/// Reads and writes in turn, until told to stop; every failure is told.
async fn load(
    balancer: Balancer,
    token: String,
    environment: i64,
    done: Arc<AtomicBool>,
) -> (usize, Vec<String>) {
    let http = Client::new();
    let (mut written, mut failed) = (0, Vec::new());
    while !done.load(Ordering::Relaxed) {
        let Some(address) = balancer.pick() else {
            failed.push("nobody is ready".to_owned());
            break;
        };
        let body =
            json!({"key": format!("LOAD_{written}"), "value": "v", "environment": environment});
        let create = http.post(format!("http://{address}/api/core/variables/")).json(&body);
        let read = http.get(format!("http://{address}/api/auth/profile/"));
        for (request, wanted) in [(create, 201), (read, 200)] {
            match request.bearer_auth(&token).send().await {
                Ok(answer) if answer.status() == wanted => {}
                Ok(answer) => failed.push(format!("{address}: {}", answer.text().await.unwrap())),
                Err(error) => failed.push(format!("{address}: {error:?}")),
            }
        }
        written += 1;
    }
    (written, failed)
}

/// A project with an environment in it.
pub async fn found_environment(
    api: &Running,
    token: &str,
    organization: i64,
    number: usize,
) -> i64 {
    let body = json!({"name": format!("project {number}"), "organization": organization});
    let made = api.json(201, Method::POST, "/api/core/projects/", Some(token), Some(body)).await;
    let body = json!({"name": "load", "project": made["id"], "environment_type": "testing"});
    let made =
        api.json(201, Method::POST, "/api/core/environments/", Some(token), Some(body)).await;
    made["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_fails_no_request() {
    let cluster = Cluster::new().await;
    let mut processes = Vec::new();
    for part in ["api", "api", "project", "project", "work", "work"] {
        processes.push((part, cluster.start(part)));
    }
    let api = &processes[0].1;
    let people = People::arrive(api).await;
    let organization = found_organization(api, &people).await;
    let mut environments = Vec::new();
    for number in 0..CLIENTS {
        environments.push(found_environment(api, &people.ann, organization, number).await);
    }
    let balancer = Balancer::default();
    let watching = tokio::spawn(balancer.clone().watch());
    for (_, api) in &processes[..2] {
        balancer.add(api);
        balancer.takes_in(api).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for &environment in &environments {
        let (token, done) = (people.ann.clone(), Arc::clone(&done));
        clients.spawn(load(balancer.clone(), token, environment, done));
    }
    let mut replaced = Vec::new();
    for (part, old) in processes {
        let new = cluster.start(part);
        if part == "api" {
            balancer.add(&new);
            balancer.takes_in(&new).await;
        }
        assert_eq!(
            tokio::task::spawn_blocking(move || old.stop()).await.unwrap(),
            Some(0),
            "{part}"
        );
        replaced.push(new);
    }
    done.store(true, Ordering::Relaxed);
    let (mut written, mut failed) = (0, Vec::new());
    for (count, failures) in clients.join_all().await {
        assert!(count > 0);
        written += count;
        failed.extend(failures);
    }
    watching.abort();
    assert_eq!(failed, Vec::<String>::new(), "of {written} rounds");
    let mut there = 0;
    for environment in environments {
        let path = format!("/api/core/environments/{environment}/variables/?page_size=1");
        let listed: Value =
            replaced[0].json(200, Method::GET, &path, Some(&people.ann), None).await;
        there += listed["count"].as_u64().unwrap();
    }
    assert_eq!(there, written as u64, "what was acknowledged is there, once");
    cluster.is_sound();
}
