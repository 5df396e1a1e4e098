//! Who may not read any more, or not from here, or not without a second factor: their readers are sent away, and so are they.

use keynest_commands::Clock;
use keynest_crypto::TotpSecret;

use super::*;
use crate::journey::{PASSWORD, link};

const OFFICE: &str = "192.0.2.10";
const AWAY: &str = "198.51.100.7";

impl World {
    /// How many events of Ann's organization this caller reads, in all.
    fn anns_events(&self, token: &str, arguments: &[&str]) -> usize {
        let told = self.ask(token, arguments);
        assert!(told.iter().all(|it| it.get("refused").is_none()), "{told:?}");
        let anns = format!("organization-{}", self.anns);
        told.iter().filter(|it| it["stream"] == *anns).count()
    }

    async fn of_anns(&self, method: Method, rest: &str, wish: Value) -> Value {
        let path = format!("/api/core/organizations/{}/{rest}/", self.anns);
        let status = if method == Method::POST { 201 } else { 200 };
        self.running.json(status, method, &path, Some(&self.people.ann), Some(wish)).await
    }

    async fn bob_joins(&self) {
        let wish = json!({"email": "canarybob@example.com", "role": "editor"});
        self.of_anns(Method::POST, "invite_member", wish).await;
        let path = link(&self.running, "canarybob@example.com", "/accept-invitation/").await;
        let body = json!({"token": path.trim_matches('/').split('/').nth(1).unwrap()});
        let path = "/api/auth/invitations/accept/";
        self.running.json(200, Method::POST, path, None, Some(body)).await;
    }

    async fn service(&self, more: Value) -> String {
        let mut wish =
            json!({"name": "robot", "access": "read", "role": "editor", "everywhere": true});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.of_anns(Method::POST, "tokens", wish).await["token"].as_str().unwrap().to_owned()
    }
}

impl Following {
    fn ends_with(&mut self, code: &str) {
        let ended = self.until("ended");
        assert!(ended["why"].as_str().unwrap().contains(code), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_time_is_over_reads_nothing_any_more() {
    let world = World::new().await;
    let anns = format!("organization-{}", world.anns);
    let (token, id) = world.token(&world.people.ann, json!({"everywhere": true})).await;
    let (other, _) = world.token(&world.people.ann, json!({"everywhere": true})).await;
    let mut followers =
        [world.follow(&token, &["follow"]), world.follow(&token, &["follow", &anns])];
    for following in &mut followers {
        following.until("caught_up");
    }
    // The last day of it is over: nobody waits for that here.
    let url = std::fs::read_to_string(world.place.data().join("postgres.url")).unwrap();
    let query = format!(
        "update read.tokens set expires_at = expires_at - interval '25 hours' where id = {id}"
    );
    let done = Command::new("psql").args([url.trim(), "-Atc", &query]).output().unwrap();
    assert_eq!(done.stdout, b"UPDATE 1\n", "{}", String::from_utf8_lossy(&done.stderr));
    for following in &mut followers {
        following.ends_with("token_not_valid");
    }
    assert!(world.refusal(&token).contains("token_not_valid"));
    assert!(world.anns_events(&other, &["all"]) > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_member_any_more_is_sent_away() {
    let world = World::new().await;
    let bob = &world.people.bob;
    world.bob_joins().await;
    let anns = format!("organization-{}", world.anns);
    let (token, _) = world.token(bob, json!({"everywhere": true})).await;
    let mut followers = [
        world.follow(bob, &["follow"]),
        world.follow(bob, &["follow", &anns]),
        world.follow(&token, &["follow", &anns]),
    ];
    for following in &mut followers {
        following.until("caught_up");
    }
    assert!(world.anns_events(bob, &["all"]) > 1);
    let own = "/api/auth/profile/";
    let profile = world.running.json(200, Method::GET, own, Some(bob), None).await;
    let wish = json!({"user_id": profile["id"]});
    world.of_anns(Method::DELETE, "remove_member", wish).await;
    for following in &mut followers {
        following.ends_with("role_too_weak");
    }
    for token in [bob, &token] {
        assert_eq!(world.anns_events(token, &["all"]), 0);
        assert_eq!(world.ask(token, &["stream", &anns])[0]["refused"], "NotFoundError");
    }
    let bobs = format!("organization-{}", world.bobs);
    assert!(world.ask(bob, &["stream", &bobs]).len() > 1, "what is his own stays his");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_address_that_is_not_let_in_nothing_is_read() {
    let world = World::with(&[("KEYNEST_HTTP_TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let ann = &world.people.ann;
    let service = world.service(json!({})).await;
    let bound = world.service(json!({"ip_ranges": ["192.0.2.0/24"]})).await;
    // A service's token of certain networks is good from there alone, whatever the organization says.
    assert!(world.refusal(&bound).contains("token_not_valid"));
    let refused = world.ask(&bound, &["from", AWAY]);
    assert_eq!(refused[0]["refused"], "UNAUTHENTICATED", "{refused:?}");
    assert!(world.anns_events(&bound, &["from", OFFICE]) > 1);

    let mut followers = [world.follow(ann, &["follow"]), world.follow(&service, &["follow"])];
    for following in &mut followers {
        following.until("caught_up");
    }
    for caller in [ann, &service] {
        assert!(world.anns_events(caller, &["from", AWAY]) > 1, "as long as nothing is ruled");
    }
    let rules = json!({"mode": "enforced", "allow": ["192.0.2.0/24"], "deny": []});
    let path = format!("/api/core/organizations/{}/address-rules/", world.anns);
    let url = format!("http://{}{path}", world.running.address);
    let ruled = world.running.client.put(url).bearer_auth(ann).header("X-Forwarded-For", OFFICE);
    assert_eq!(ruled.json(&rules).send().await.unwrap().status(), 200);
    for following in &mut followers {
        following.ends_with("role_too_weak");
    }
    let anns = format!("organization-{}", world.anns);
    for caller in [ann, &service] {
        assert!(world.anns_events(caller, &["from", OFFICE]) > 1);
        assert_eq!(world.anns_events(caller, &["from", AWAY]), 0);
        assert_eq!(world.anns_events(caller, &["all"]), 0, "without a proxy, from this machine");
        assert_eq!(world.ask(caller, &["stream", &anns])[0]["refused"], "NotFoundError");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_requires_a_second_factor_is_read_with_it_alone() {
    let mut world = World::new().await;
    world.bob_joins().await;
    let without = world.people.ann.clone();
    let totp = "/api/auth/factors/totp/";
    let running = &world.running;
    let offer = running.json(200, Method::POST, totp, Some(&without), Some(json!({}))).await;
    let secret = TotpSecret::parse(offer["secret"].as_str().unwrap()).unwrap();
    let now = u64::try_from(Clock::default().now().seconds()).unwrap();
    let body =
        json!({"challenge": offer["challenge"], "code": secret.code_at(now), "name": "phone"});
    let path = format!("{totp}confirm/");
    let made = running.json(201, Method::POST, &path, Some(&without), Some(body)).await;
    let body = json!({"email": "canaryann@example.com", "password": PASSWORD});
    let asked = running.json(400, Method::POST, "/api/auth/login/", None, Some(body)).await;
    let body = json!({"challenge": asked["challenge"], "recovery_code": made["recovery_codes"][0]});
    let path = "/api/auth/login/challenge/";
    let inside = running.json(200, Method::POST, path, None, Some(body)).await;
    world.people.ann = inside["access"].as_str().unwrap().to_owned();
    let (ann, bob) = (&world.people.ann, &world.people.bob);
    let (token, _) = world.token(ann, json!({"everywhere": true})).await;
    let (bobs_token, _) = world.token(bob, json!({"everywhere": true})).await;
    let (open, closed) = ([ann, &token], [&without, bob, &bobs_token]);

    let mut followers: Vec<_> = closed.map(|token| world.follow(token, &["follow"])).into();
    let mut going_on = world.follow(&token, &["follow"]);
    for following in followers.iter_mut().chain([&mut going_on]) {
        following.until("caught_up");
    }
    let wish = json!({"require_second_factor": true});
    world.of_anns(Method::PATCH, "security", wish).await;
    for following in &mut followers {
        following.ends_with("role_too_weak");
    }
    let anns = format!("organization-{}", world.anns);
    for caller in closed {
        assert_eq!(world.anns_events(caller, &["all"]), 0);
        assert_eq!(world.ask(caller, &["stream", &anns])[0]["refused"], "NotFoundError");
    }
    for caller in open {
        assert!(world.anns_events(caller, &["all"]) > 1);
    }
    let project = world.new_project(ann, world.anns, "behind-it").await;
    assert_eq!(going_on.until("type")["stream"], format!("project-{project}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_over_grpc_and_over_http_take_the_same_seats() {
    let world = World::with(&[("KEYNEST_FEED_READERS_PER_CALLER_MAX", "2")]).await;
    let ann = &world.people.ann;
    let mut followers = [world.follow(ann, &["follow"]), world.follow(ann, &["follow"])];
    for following in &mut followers {
        following.until("caught_up");
    }
    assert!(world.refusal(ann).contains("too_many_readers"));
    world.running.json(429, Method::GET, "/api/events/", Some(ann), None).await;
    assert!(world.ask(&world.people.bob, &["all"])[0].get("refused").is_none());
    drop(followers);
    // A seat is free when the server has noticed that its reader has gone.
    while world.ask(ann, &["all"])[0].get("refused").is_some() {}
}
