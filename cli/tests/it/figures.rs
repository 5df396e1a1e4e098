//! How long it takes until another process has taken over, and until every process knows what one was told: measured and
//! printed (`--nocapture`). Asserted is that it happens; how long it may take by design is in `workers/src/lead.rs` and
//! `api/src/auth/revocation.rs`.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use reqwest::Method;
use serde_json::json;

use crate::journey::{People, found_organization, invite, keep_variables, link, sign_in};
use crate::nats_server::NatsServer;
use crate::replicas::{Cluster, create, register};
use crate::running::Running;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const KILLS: usize = 10;
const ROUNDS: usize = 20;

/// Spans of one kind, and what they come to.
#[derive(Default)]
struct Spans(Vec<Duration>);

impl Spans {
    /// Asks again and again until it holds; the request paces the loop.
    async fn until(&mut self, since: Instant, mut holds: impl AsyncFnMut() -> bool) {
        let waiting = async { while !holds().await {} };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it comes about");
        self.0.push(since.elapsed());
    }

    fn tell(mut self, what: &str) {
        self.0.sort();
        let (times, most) = (self.0.len(), self.0[self.0.len() - 1]);
        println!("{what}: {times} times, p50 {:?}, max {most:?}", self.0[times / 2]);
    }
}

/// The position of the last message in the stream.
async fn relayed(observer: &jetstream::Context) -> Option<u64> {
    let stream = observer.get_stream("keynest").await.ok()?;
    let message = stream.get_last_raw_message_by_subject("keynest.events.>").await.ok()?;
    message.headers.get("ce-position")?.as_str().parse().ok()
}

/// The older of a pair leads, since it was there first: it is killed, and a new one takes the other's place as the second.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_is_killed_and_the_other_takes_over() {
    let cluster = Cluster::new().await;
    let nats = NatsServer::start();
    let url = nats.url();
    let variables = [("KEYNEST_NATS_URL", url.as_str())];
    let start = |part: &str| cluster.start_with(part, &variables);
    let api = start("api");
    let (mut projects, mut workers) = (vec![], vec![]);
    for _ in 0..2 {
        projects.push(start("project"));
        workers.push(start("work"));
    }
    let people = People::arrive(&api).await;
    let organization = found_organization(&api, &people).await;
    let environment = keep_variables(&api, &people, organization).await;
    let observer = jetstream::new(async_nats::connect(&url).await.unwrap());
    let (mut projector, mut worker, mut relay) =
        (Spans::default(), Spans::default(), Spans::default());
    for kill in 0..KILLS {
        projects.remove(0).kill_group();
        let killed = Instant::now();
        let key = format!("AFTER_{kill}");
        create(&api, &people.ann, environment, &key).await;
        let path = format!("/api/core/environments/{environment}/variables/");
        projector
            .until(killed, async || {
                let listed = api.json(200, Method::GET, &path, Some(&people.ann), None).await;
                listed.to_string().contains(&key)
            })
            .await;

        let before = relayed(&observer).await.unwrap_or(0);
        workers.remove(0).kill_group();
        let killed = Instant::now();
        let name = format!("taken{kill}");
        register(&api, &name).await;
        relay
            .until(killed, async || {
                relayed(&observer).await.is_some_and(|position| position > before)
            })
            .await;
        worker
            .until(killed, async || {
                let path = format!("/dev/mailbox/?to={name}@example.com");
                let page = api.call(Method::GET, &path, None, None).await.text().await.unwrap();
                page.contains("/dev/mailbox/") && page.contains(&format!("{name}@example.com"))
            })
            .await;
        link(&api, &format!("{name}@example.com"), "/activate/").await;
        projects.push(start("project"));
        workers.push(start("work"));
    }
    projector.tell("a killed projector: the next one shows what was written after");
    worker.tell("a killed worker: the next one sends the mail");
    relay.tell("a killed relay: the next one writes to the stream");
    cluster.is_sound();
}

async fn status(api: &Running, token: &str) -> u16 {
    api.call(Method::GET, "/api/auth/profile/", Some(token), None).await.status().as_u16()
}

async fn try_password(api: &Running, name: &str, password: &str) -> u16 {
    let body = json!({"email": format!("{name}@example.com"), "password": password});
    api.call(Method::POST, "/api/auth/login/", None, Some(body)).await.status().as_u16()
}

/// What is said to one process is asked of the other, from the moment on when the first has answered.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_ended_every_other_refuses() {
    let cluster = Cluster::new().await;
    // An answer waits for what is set up, however busy the machine is.
    let patient = ("KEYNEST_PROJECTIONS_VISIBLE_WAIT_MS", "30000");
    let lenient = [("KEYNEST_THROTTLE_SIGN_IN_PER_MINUTE", "0"), patient];
    let [told, asked] = [(); 2].map(|()| cluster.start_with("api", &lenient));
    let [_project, _work] = ["project", "work"].map(|part| cluster.start(part));
    let people = People::arrive(&told).await;
    let organization = found_organization(&told, &people).await;
    let environment = keep_variables(&told, &people, organization).await;
    invite(&told, &people, organization, environment).await;
    let bob = told.json(200, Method::GET, "/api/auth/profile/", Some(&people.bob), None).await;
    let (mut sessions, mut tokens, mut roles, mut locks) =
        (Spans::default(), Spans::default(), Spans::default(), Spans::default());
    for round in 0..ROUNDS {
        let (access, _) = sign_in(&told, "canaryann").await;
        assert_eq!(status(&asked, &access).await, 200);
        told.json(200, Method::POST, "/api/auth/logout/", Some(&access), None).await;
        sessions.until(Instant::now(), async || status(&asked, &access).await == 401).await;

        let wish = json!({"name": format!("round {round}"), "everywhere": true});
        let (fresh, _) = sign_in(&told, "canaryann").await;
        let made =
            told.json(201, Method::POST, "/api/auth/tokens/", Some(&fresh), Some(wish)).await;
        let (id, token) = (made["id"].as_i64().unwrap(), made["token"].as_str().unwrap());
        let path = "/api/core/organizations/";
        asked.json(200, Method::GET, path, Some(token), None).await;
        let revoke = format!("/api/auth/tokens/{id}/");
        let revoked = told.call(Method::DELETE, &revoke, Some(&fresh), None).await;
        assert!(revoked.status().is_success());
        let listed =
            async || asked.call(Method::GET, path, Some(token), None).await.status() == 401;
        tokens.until(Instant::now(), listed).await;

        let path = format!("/api/core/organizations/{organization}/update_member_role/");
        for (role, writes) in [("editor", 201), ("viewer", 403)] {
            let body = json!({"user_id": bob["id"], "role": role});
            told.json(200, Method::PATCH, &path, Some(&people.ann), Some(body)).await;
            let since = Instant::now();
            let mut number = 0;
            roles
                .until(since, async || {
                    number += 1;
                    let body = json!({"key": format!("R{round}_{role}_{number}"), "value": "v", "environment": environment});
                    let path = "/api/core/variables/";
                    let tried = asked.call(Method::POST, path, Some(&people.bob), Some(body)).await;
                    tried.status() == writes
                })
                .await;
        }

        // Nobody has ever signed in there from here, so there is no known network to let in.
        let name = format!("locked{round}");
        for _ in 0..5 {
            try_password(&told, &name, "wrong-Passw0rd-x7Q2").await;
        }
        let locked = async || try_password(&asked, &name, "wrong-Passw0rd-x7Q2").await == 429;
        locks.until(Instant::now(), locked).await;
    }
    sessions.tell("a session that was ended: the other process refuses its token");
    tokens.tell("a token that was revoked: the other process refuses it");
    roles.tell("a role that was changed: the other process goes by it");
    locks.tell("an account that was locked: the other process refuses the password");
}
