//! Events that nobody can read stand in two streams: one of a type that no binary knows, one of damaged bytes. Those streams
//! are left behind, visibly; everything else goes on; once the events can be read, everything is as it should be.

use std::time::Duration;

use async_trait::async_trait;
use keynest_commands::Clock;
use keynest_domain::{OrganizationId, StreamName};
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool};
use keynest_store::{Append, EventStore, Expected, Metadata, NewEvent, StreamAppend};
use reqwest::Method;
use serde_json::json;

use crate::actors::Actor;
use crate::caller::Caller;
use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::ledger::What;
use crate::world::{Role, World};

/// The others go on meanwhile: they are caught up in this time.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const UNKNOWN: &str = "project.bewitched";

/// One bad event, and what it should have been.
struct Bad {
    project: i64,
    position: i64,
    name: String,
    data: Vec<u8>,
}

#[derive(Default)]
pub struct Poison {
    owner: Option<Caller>,
    bad: Vec<Bad>,
    wrong: Vec<(&'static str, String)>,
    injected: usize,
}

#[async_trait]
impl Fault for Poison {
    fn name(&self) -> &'static str {
        "poison"
    }

    async fn inject(&mut self, world: &mut World) {
        self.injected += 1;
        let name = format!("poisoner{}", self.injected);
        let caller = Caller::new(&name, &world.balancer, &world.ledger);
        let (sink, seed) = (world.sink.clone(), world.dice.next());
        let actor = Actor::arrive(caller, &name, sink, seed, world.settings.bulk).await;
        let (mut owner, memory) = (actor.caller(), actor.memory());
        let organization = memory.lock().unwrap().organization;
        let store = store(world).await;
        for is_unknown in [true, false] {
            let body = json!({"name": format!("bad {is_unknown}"), "organization": organization});
            let path = "/api/core/projects/";
            let project = owner.change(What::CreateProject, Method::POST, path, &body).await.id();
            change(&mut owner, project, "before").await;
            let bad = append(world, &store, project, is_unknown).await;
            self.bad.push(bad);
        }
        self.owner = Some(owner);
    }

    async fn heal(&mut self, world: &mut World) {
        if tokio::time::timeout(CAUGHT_UP_WITHIN, fault::catch_up(world)).await.is_err() {
            self.wrong.push(("I11", "everybody waits behind a poison event".to_owned()));
        }
        self.is_visible(world).await;
        self.is_closed(world).await;
        for bad in &self.bad {
            let mended =
                sqlx::query("update store.events set type = $2, data = $3 where position = $1");
            let mended = mended.bind(bad.position).bind(&bad.name).bind(&bad.data);
            assert_eq!(mended.execute(&world.db).await.unwrap().rows_affected(), 1);
        }
        let parked = "select distinct projection from read.parked order by 1";
        let parked: Vec<String> = sqlx::query_scalar(parked).fetch_all(&world.db).await.unwrap();
        let rebuilds = parked.iter().map(|name| vec!["rebuild", name]);
        for arguments in rebuilds.chain([vec!["dead-letters", "replay"]]) {
            let done = world.command(&arguments).output().unwrap();
            if !done.status.success() {
                let why = String::from_utf8_lossy(&done.stderr);
                self.wrong.push(("I4", format!("{arguments:?}: {why}")));
            }
        }
        let owner = self.owner.as_mut().expect("somebody owns them");
        for bad in self.bad.drain(..) {
            change(owner, bad.project, "after").await;
        }
    }

    async fn check(&mut self, _world: &mut World, findings: &mut Findings) {
        findings.count("I5", 2 * self.injected as u64);
        self.wrong.drain(..).for_each(|(invariant, what)| findings.add(invariant, what));
    }
}

impl Poison {
    /// `keynest status` names both streams, and the gauge of each read model of projects counts them.
    async fn is_visible(&mut self, world: &World) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        let seen = async {
            loop {
                every.tick().await;
                let status = world.command(&["status"]).output().unwrap();
                let status = String::from_utf8(status.stdout).unwrap();
                let is_told =
                    |bad: &Bad| status.contains(&format!("parked project-{} ", bad.project));
                if self.bad.iter().all(is_told) && parked(world).await >= self.bad.len() as f64 {
                    return;
                }
            }
        };
        if tokio::time::timeout(CAUGHT_UP_WITHIN, seen).await.is_err() {
            self.wrong.push(("I5", "poisoned streams are not visible".to_owned()));
        }
    }

    /// Nobody decides anything on what cannot be read.
    async fn is_closed(&mut self, world: &World) {
        let owner = self.owner.as_ref().expect("somebody owns them");
        for bad in &self.bad {
            let path = format!("/api/core/projects/{}/", bad.project);
            for address in world.balancer.all() {
                let request = reqwest::Client::new().patch(format!("http://{address}{path}"));
                let request = request.bearer_auth(owner.token.as_ref().unwrap());
                let answer = request.json(&json!({"description": "x"})).send().await.unwrap();
                if answer.status() != 503 {
                    let (status, text) = (answer.status(), answer.text().await.unwrap());
                    let what =
                        format!("{} in a stream that nobody can read: {status} {text}", bad.name);
                    self.wrong.push(("I8", what));
                }
            }
        }
    }
}

async fn change(owner: &mut Caller, project: i64, to: &str) {
    let (path, body) = (format!("/api/core/projects/{project}/"), json!({"description": to}));
    let changed = owner.change(What::ChangeProject, Method::PATCH, &path, &body).await;
    assert!(changed.is_ok(), "{changed:?}");
}

async fn store(world: &World) -> EventStore {
    let options = StoreOptions::default();
    let pool = connect_store_pool(&world.server.url(), &options).await.unwrap();
    Postgres::open(pool, &options).await.unwrap().into()
}

/// The last event of a project once more: under a name that nobody knows, or without its end.
async fn append(world: &World, store: &EventStore, project: i64, is_unknown: bool) -> Bad {
    let stream = StreamName::new("project", project.to_string());
    let query = "select e.type, e.version, e.data, e.organization from store.events e
        join store.streams s on s.id = e.stream_id where s.name = $1 order by e.position desc limit 1";
    let (name, version, data, organization): (String, i32, Vec<u8>, Option<i64>) =
        sqlx::query_as(query).bind(stream.as_str()).fetch_one(&world.db).await.unwrap();
    let (bad_name, kept) =
        if is_unknown { (UNKNOWN, data.len()) } else { (name.as_str(), data.len() / 2) };
    let event = NewEvent {
        name: bad_name.into(),
        version: u16::try_from(version).unwrap(),
        data: data[..kept].to_vec().into(),
    };
    let organization = organization.map(OrganizationId::new);
    let appended = store.append(Append {
        command_id: Clock::default().command_id(),
        streams: vec![StreamAppend { stream, expected: Expected::Any, events: vec![event] }],
        checks: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata { organization, ..Metadata::default() },
    });
    let position = i64::try_from(appended.await.unwrap().position.to_stored()).unwrap();
    Bad { project, position, name, data }
}

/// Streams that the read model of projects has left behind, as any of its processes tells it.
async fn parked(world: &World) -> f64 {
    let name = r#"keynest_projection_parked_streams{projection="projects"} "#;
    world.metrics(Role::Project, name).await.into_iter().fold(0.0, f64::max)
}
