//! The event feed over gRPC of the real program, asked by the official Python client: who is let in, what they see, when it ends.

mod standing;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::journey::{People, found_organization, keep_variables};
use crate::running::{Place, Running};

/// Far longer than anything here takes to be heard.
const PATIENCE: Duration = Duration::from_secs(120);

/// A product with its feed, and two people with an organization each.
struct World {
    place: Place,
    running: Running,
    people: People,
    /// Ann's, with a project and variables.
    anns: i64,
    /// Bob's.
    bobs: i64,
}

impl World {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let mut command = place.keynest(&["serve", "--event-feed-grpc", "127.0.0.1:0"]);
        command.envs(with_certificate(&place)).envs(settings.iter().copied());
        let running = place.start_by(command);
        let people = People::arrive(&running).await;
        let anns = found_organization(&running, &people).await;
        keep_variables(&running, &people, anns).await;
        let wish = json!({"name": "Bobs secret venture", "description": ""});
        let path = "/api/core/organizations/";
        let made = running.json(201, Method::POST, path, Some(&people.bob), Some(wish)).await;
        Self { place, running, people, anns, bobs: made["id"].as_i64().unwrap() }
    }

    fn client(&self, token: &str, arguments: &[&str]) -> Command {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(here.join("../.tools/venv/bin/python"));
        command.arg(here.join("tests/it/feed_grpc/client.py")).args([
            feed_address(&self.place).as_str(),
            &certificate(&self.place),
            token,
        ]);
        command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the client printed.
    fn ask(&self, token: &str, arguments: &[&str]) -> Vec<Value> {
        let output = self.client(token, arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// Why this caller is not let in.
    fn refusal(&self, token: &str) -> String {
        let told = self.ask(token, &["all"]);
        assert_eq!(told.len(), 1, "{told:?}");
        told[0]["why"].as_str().unwrap().to_owned()
    }

    fn follow(&self, token: &str, arguments: &[&str]) -> Following {
        let mut child = self.client(token, arguments).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Whoever listened has gone.
                let _ = said.send(line);
            }
        });
        Following { child, heard }
    }

    /// What HTTP answers the same caller.
    async fn over_http(&self, token: &str) -> Vec<Value> {
        let answer = self.running.call(Method::GET, "/api/events/?limit=1000", Some(token), None);
        let text = answer.await.text().await.unwrap();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    async fn token(&self, owner: &str, reach: Value) -> (String, i64) {
        let mut wish = json!({"name": "feed", "access": "read", "expires_in_days": 1});
        wish.as_object_mut().unwrap().extend(reach.as_object().unwrap().clone());
        let path = "/api/auth/tokens/";
        let made = self.running.json(201, Method::POST, path, Some(owner), Some(wish)).await;
        (made["token"].as_str().unwrap().to_owned(), made["id"].as_i64().unwrap())
    }

    async fn new_project(&self, owner: &str, organization: i64, name: &str) -> i64 {
        let wish = json!({"name": name, "organization": organization});
        let path = "/api/core/projects/";
        let made = self.running.json(201, Method::POST, path, Some(owner), Some(wish)).await;
        made["id"].as_i64().unwrap()
    }
}

/// Whom clients of the feed of a place trust.
pub fn certificate(place: &Place) -> String {
    place.data().with_file_name("feed.pem").to_str().unwrap().to_owned()
}

/// A certificate for this machine by an authority of its own, and the settings that serve the feed with it.
pub fn with_certificate(place: &Place) -> [(&'static str, String); 2] {
    let authority = certificate(place);
    let [leaf, key, asked, names] =
        ["leaf", "leaf-key", "csr", "names"].map(|it| format!("{authority}.{it}"));
    std::fs::write(&names, "subjectAltName=IP:127.0.0.1").unwrap();
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for arguments in [
        format!(
            "req -x509 {new} -days 2 -subj /CN=authority -keyout {authority}.key -out {authority}"
        ),
        format!("req {new} -subj /CN=feed -keyout {key} -out {asked}"),
        format!(
            "x509 -req -in {asked} -CA {authority} -CAkey {authority}.key -CAcreateserial -days 2 -extfile {names} -out {leaf}"
        ),
    ] {
        let made = Command::new("openssl").args(arguments.split(' ')).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    [("KEYNEST_FEED_GRPC_CERTIFICATE_FILE", leaf), ("KEYNEST_FEED_GRPC_KEY_FILE", key)]
}

/// Where the last process of a place serves its feed.
pub fn feed_address(place: &Place) -> String {
    let log = place.log.lock().unwrap();
    let mut lines = log.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let found = lines.rfind(|it| it["message"] == "the event feed is served over gRPC");
    found.unwrap()["listen"].as_str().unwrap().to_owned()
}

struct Following {
    child: Child,
    heard: mpsc::Receiver<String>,
}

impl Following {
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.heard.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    /// The next line that says this.
    fn until(&mut self, member: &str) -> Value {
        loop {
            let line = self.next();
            if line.get(member).is_some() {
                return line;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What both protocols tell of an event.
fn same(event: &Value) -> Value {
    let revision =
        event["revision"].as_u64().unwrap() - u64::from(event.get("specversion").is_some());
    json!([event["stream"], revision, event["type"], event["data"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_over_grpc_tells_what_http_tells_and_nothing_of_others() {
    let world = World::new().await;
    let (ann, bob) = (&world.people.ann, &world.people.bob);
    let (token, _) = world.token(ann, json!({"organizations": [world.anns]})).await;
    let told = world.ask(&token, &["all"]);
    let http: Vec<Value> = world.over_http(&token).await.iter().map(same).collect();
    assert!(http.len() > 3, "{http:?}");
    assert_eq!(told.iter().map(same).collect::<Vec<_>>(), http);
    let text = format!("{told:?}");
    let bobs = format!("organization-{}", world.bobs);
    assert!(!text.contains(&bobs) && !text.contains("venture"), "{text}");
    assert!(text.contains("Canaryorg Ltd"), "names are opened as over HTTP: {text}");
    assert!(!text.contains("canary-value"), "{text}");

    // Bob's stream is not there for Ann's token, by any name; hers is not there for Bob.
    for (token, stream) in [
        (&token, "organization-987654321"),
        (&token, bobs.as_str()),
        (bob, &format!("organization-{}", world.anns)),
    ] {
        let absent = world.ask(token, &["stream", stream]);
        assert_eq!((absent.len(), &absent[0]["refused"]), (1, &json!("NotFoundError")));
    }
    assert!(!world.ask(bob, &["stream", &bobs]).is_empty());

    // Places do not tell how much others do: they are the same after Bob's deeds, and say when.
    for number in 0..5 {
        world.new_project(bob, world.bobs, &format!("bob{number}")).await;
    }
    assert_eq!(world.ask(&token, &["all"]), told);
    let busy: Vec<u64> =
        world.ask(bob, &["all"]).iter().map(|it| it["place"].as_u64().unwrap()).collect();
    assert!(busy.windows(2).all(|pair| pair[0] < pair[1]), "{busy:?}");

    let refused = world.ask(&token, &["write"]);
    assert_eq!(refused.len(), 10);
    assert!(
        refused.iter().all(|it| it == "PermissionDeniedError" || it == "AccessDeniedError"),
        "{refused:?}"
    );
    assert_eq!(world.ask(&token, &["all"]), told, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_over_grpc_lets_in_whom_http_lets_in() {
    let world = World::new().await;
    let ann = &world.people.ann;
    for bad in ["kn_wrong", "nonsense", "a.b.c"] {
        assert!(world.refusal(bad).contains("token_not_valid"), "{bad}");
    }
    let elsewhere = json!({"organizations": [world.anns], "ip_ranges": ["203.0.113.0/24"]});
    let (elsewhere, _) = world.token(ann, elsewhere).await;
    assert!(world.refusal(&elsewhere).contains("token_not_valid"));
    // A token of one project audits no organization: it sees nothing, as over HTTP.
    let project = world.new_project(ann, world.anns, "narrow").await;
    let (narrow, _) = world.token(ann, json!({"projects": [project]})).await;
    assert_eq!(world.ask(&narrow, &["all"]), world.over_http(&narrow).await);
    let anns = format!("organization-{}", world.anns);
    assert_eq!(world.ask(&narrow, &["stream", &anns])[0]["refused"], "NotFoundError");
    // One that was ended is bad from then on.
    let (ended, id) = world.token(ann, json!({"organizations": [world.anns]})).await;
    assert!(world.ask(&ended, &["all"]).len() > 3);
    let path = format!("/api/auth/tokens/{id}/");
    world.running.json(204, Method::DELETE, &path, Some(ann), None).await;
    assert!(world.refusal(&ended).contains("token_not_valid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_over_grpc_hears_its_own_and_ends_with_its_token_and_the_process() {
    let world = World::new().await;
    let (ann, bob) = (&world.people.ann, &world.people.bob);
    let (token, id) = world.token(ann, json!({"organizations": [world.anns]})).await;
    let anns = format!("organization-{}", world.anns);
    let mut all = world.follow(&token, &["follow"]);
    let mut stream = world.follow(&token, &["follow", &anns]);
    all.until("caught_up");
    stream.until("caught_up");
    world.new_project(bob, world.bobs, "of-bob").await;
    let project = world.new_project(ann, world.anns, "of-ann").await;
    let heard = all.until("type");
    assert_eq!(heard["stream"], format!("project-{project}"));
    assert_eq!(heard["data"]["name"], "of-ann");
    let checkpoint = all.until("checkpoint");
    assert_eq!(checkpoint["checkpoint"], heard["place"]);
    let wish = json!({"name": "Canaryorg Unlimited"});
    let path = format!("/api/core/organizations/{}/", world.anns);
    world.running.json(200, Method::PATCH, &path, Some(ann), Some(wish)).await;
    assert_eq!(stream.until("type")["stream"], anns);

    let path = format!("/api/auth/tokens/{id}/");
    world.running.json(204, Method::DELETE, &path, Some(ann), None).await;
    for following in [&mut all, &mut stream] {
        let ended = following.until("ended");
        assert!(ended["why"].as_str().unwrap().contains("token_not_valid"), "{ended}");
    }
    // A stream that is open when the process stops ends, and does not hold it up.
    let mut open = world.follow(bob, &["follow"]);
    open.until("caught_up");
    assert_eq!(world.running.stop(), Some(0));
    let ended = open.until("ended");
    assert!(ended["why"].as_str().unwrap().contains("come back"), "{ended}");
}
