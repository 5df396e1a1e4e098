//! Tokens of another issuer for access tokens of ours: a real issuer on a socket of its own, with discovery and keys, which
//! misbehaves on request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::bearer;
use crate::app::TestApp;
use crate::core::team::{Answer, Team};
use crate::person::Person;

const HOUSE: &str = "http://localhost:8000";
const EXCHANGE: &str = "/api/auth/token/exchange/";

/// How the issuer misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Good,
    RedirectsDiscovery,
    NamesAnother,
    KeysElsewhere,
    Huge,
    Garbage,
}

struct Issuer {
    url: String,
    edwards: Ed25519KeyPair,
    rsa: RsaKeyPair,
    mood: Mutex<Mood>,
    /// The name under which the key is published.
    kid: Mutex<&'static str>,
    asked: AtomicUsize,
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn discovery(State(issuer): State<Arc<Issuer>>) -> Response {
    let keys = format!("{}/keys", issuer.url);
    match *issuer.mood.lock().unwrap() {
        Mood::RedirectsDiscovery => Redirect::temporary("/elsewhere").into_response(),
        Mood::NamesAnother => {
            axum::Json(json!({"issuer": "https://evil.example", "jwks_uri": keys})).into_response()
        }
        Mood::KeysElsewhere => {
            let keys = "http://169.254.169.254/keys";
            axum::Json(json!({"issuer": issuer.url, "jwks_uri": keys})).into_response()
        }
        Mood::Huge => "x".repeat(2 * 1024 * 1024).into_response(),
        Mood::Garbage => "<html>".into_response(),
        Mood::Good => axum::Json(json!({"issuer": issuer.url, "jwks_uri": keys})).into_response(),
    }
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Response {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    let public = issuer.rsa.public_key();
    let (modulus, exponent) = (public.modulus(), public.exponent());
    axum::Json(json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": *issuer.kid.lock().unwrap(), "x": encoded(issuer.edwards.public_key())},
        {"kty": "RSA", "kid": "rsa", "n": encoded(modulus.big_endian_without_leading_zero()),
         "e": encoded(exponent.big_endian_without_leading_zero())},
    ]}))
    .into_response()
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            edwards: Ed25519KeyPair::generate().unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            mood: Mutex::new(Mood::Good),
            kid: Mutex::new("one"),
            asked: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/elsewhere", get(discovery))
            .route("/keys", get(keys))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = match header["alg"].as_str().unwrap() {
            "EdDSA" => self.edwards.sign(text.as_bytes()).as_ref().to_vec(),
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                let random = SystemRandom::new();
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            "HS256" => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.edwards.public_key().as_ref());
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{text}.{}", encoded(signature))
    }
}

/// A team that trusts an issuer.
struct Lab {
    team: Team,
    issuer: Arc<Issuer>,
    trust: i64,
}

impl Lab {
    async fn start(pool: PgPool) -> Self {
        let issuer = Issuer::start().await;
        let mut app = TestApp::builder(pool);
        app.settings.exchange.issuers = vec![issuer.url.clone()];
        app.settings.oauth.outgoing.internal = vec![issuer.url.parse().unwrap()];
        let team = Team::of(app.start().await).await;
        let environment = team.environment;
        let mut lab = Self { team, issuer, trust: 0 };
        lab.trust = lab
            .rule(json!({"environments": [environment], "role": "editor", "access": "write"}))
            .await;
        lab
    }

    async fn rule(&self, more: Value) -> i64 {
        let mut wish = json!({"name": "deploys", "issuer": self.issuer.url, "lifetime_minutes": 10,
            "conditions": [{"claim": "sub", "pattern": "repo:acme/shop:*"}, {"claim": "ref", "pattern": "refs/heads/main"}]});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("organizations/{}/trusts/", self.team.organization);
        self.team.app.make(&self.team.admin, &path, wish).await.expect(201).id()
    }

    fn claims(&self, more: Value) -> Value {
        let now = self.team.app.clock.now().seconds();
        let mut claims = json!({"iss": self.issuer.url, "aud": HOUSE, "sub": "repo:acme/shop:push", "iat": now, "nbf": now,
            "exp": now + 300, "ref": "refs/heads/main", "jti": self.team.app.clock.command_id().to_string()});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    }

    fn token(&self, more: Value) -> String {
        self.issuer.sign(&json!({"alg": "EdDSA", "typ": "JWT", "kid": "one"}), &self.claims(more))
    }

    async fn exchange(&self, trust: i64, token: &str) -> Answer {
        let wish = json!({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token", "trust": trust});
        self.team.app.call(None, Method::POST, EXCHANGE, wish).await
    }

    async fn signed_in(&self) -> Person {
        let answer = self.exchange(self.trust, &self.token(json!({}))).await.expect(200);
        bearer(&self.team.admin, answer.body["access_token"].as_str().unwrap())
    }
}

#[sqlx::test(migrations = false)]
async fn a_job_signs_in_with_its_own_token_and_reaches_what_the_rule_says(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let Lab { team, trust, .. } = &lab;
    team.variable("PORT", "8080").await;
    let answer = lab.exchange(*trust, &lab.token(json!({}))).await.expect(200).body;
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(600)));
    let robot = bearer(&team.admin, answer["access_token"].as_str().unwrap());
    assert_eq!(team.shown(&robot).await, [("PORT".to_owned(), "8080".to_owned())]);
    let wish = json!({"key": "ADDED", "value": "1", "environment": team.environment});
    let made = team.app.make(&robot, "variables/", wish).await.expect(201).body;
    assert_eq!(made["created_by_name"], "deploys");
    let wish = json!({"name": "other", "project": team.project});
    let refused = team.app.make(&robot, "environments/", wish).await.expect(403).body;
    assert_eq!(refused["code"], "token_scope_too_narrow");
    let refused = team.app.read(&robot, "/api/auth/profile/").await.expect(403).body;
    assert_eq!(refused["code"], "token_not_allowed");

    let log =
        team.app.read(&team.admin, "audit-logs/?action=token_exchange").await.expect(200).body;
    let row = &log["results"][0];
    assert_eq!(
        (&row["user_name"], &row["target_id"]),
        (&json!("deploys"), &json!(trust.to_string()))
    );
    assert_eq!(row["details"]["identity"], "repo:acme/shop:push");

    team.app.clock.advance(Lifetime::from_minutes(10));
    assert_eq!(team.status_for(&robot).await, 401, "its time is over");
}

#[sqlx::test(migrations = false)]
async fn a_form_as_rfc_8693_has_it_is_understood(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let header = json!({"alg": "RS256", "kid": "rsa"});
    let token = lab.issuer.sign(&header, &lab.claims(json!({})));
    let form = |trust: i64| {
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}\
            &subject_token_type=urn:ietf:params:oauth:token-type:jwt&trust={trust}"
        )
    };
    let send = |body: String| {
        let request = lab.team.app.post(EXCHANGE);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        async move { request.body(body).send().await.unwrap() }
    };
    let twice = format!("{}&trust=1", form(lab.trust));
    assert_eq!(send(twice).await.status(), 400);
    let answer = send(form(lab.trust)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
}

#[sqlx::test(migrations = false)]
async fn what_is_wrong_with_a_token_is_refused_and_makes_nothing(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let now = lab.team.app.clock.now().seconds();
    let stranger = Issuer::start().await;
    let good = || lab.claims(json!({}));
    let header = |alg: &str, kid: &str| json!({"alg": alg, "typ": "JWT", "kid": kid});
    let sign = |header: Value, claims: &Value| lab.issuer.sign(&header, claims);
    let edwards = header("EdDSA", "one");
    let mut cases: Vec<(&str, String)> = [
        ("issuer", json!({"iss": stranger.url})),
        ("audience", json!({"aud": "https://other.example"})),
        ("no audience", json!({"aud": null})),
        ("expired", json!({"exp": now})),
        ("from the future", json!({"iat": now + 3_600, "nbf": now + 3_600, "exp": now + 7_200})),
        ("not yet", json!({"nbf": now + 3_600})),
        ("too old", json!({"iat": now - 3_600})),
        ("huge", json!({"pad": "x".repeat(10_000)})),
    ]
    .into_iter()
    .map(|(name, more)| (name, sign(edwards.clone(), &lab.claims(more))))
    .collect();
    cases.extend([
        ("none", sign(header("none", "one"), &good())),
        ("HS256 with the public key", sign(header("HS256", "one"), &good())),
        ("unknown key", sign(header("EdDSA", "two"), &good())),
        ("another's key", stranger.sign(&edwards, &good())),
        ("swapped algorithm", sign(header("RS256", "one"), &good())),
        ("no token", "x".to_owned()),
        ("cut", sign(edwards.clone(), &good())[..200].to_owned()),
    ]);
    for (name, token) in cases {
        let refused = lab.exchange(lab.trust, &token).await.expect(400).body;
        assert_eq!(refused["code"], "exchange_token_invalid", "{name}");
    }
    for (name, more) in [
        ("another repository", json!({"sub": "repo:acme-evil/shop:push"})),
        ("more than its part", json!({"sub": "repo:acme/shop:push:x"})),
        ("another branch", json!({"ref": "refs/heads/feature"})),
        ("a list", json!({"ref": ["refs/heads/main"]})),
        ("no branch", json!({"ref": null})),
    ] {
        let refused = lab.exchange(lab.trust, &lab.token(more)).await.expect(400).body;
        assert_eq!(refused["code"], "exchange_refused", "{name}");
    }
    for trust in [7, lab.team.organization] {
        let refused = lab.exchange(trust, &lab.token(json!({}))).await.expect(400).body;
        assert_eq!(refused["code"], "exchange_refused");
    }
    lab.team.app.catch_up().await;
    let log = lab.team.app.read(&lab.team.admin, "audit-logs/?action=token_exchange").await;
    assert_eq!(log.body["count"], 0, "{}", log.body);
    lab.signed_in().await;
}

#[sqlx::test(migrations = false)]
async fn of_sixty_four_copies_of_one_token_one_is_exchanged(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let token = lab.token(json!({}));
    let all = (0..64).map(|_| lab.exchange(lab.trust, &token));
    let answers = futures::future::join_all(all).await;
    let count = |status: u16| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((count(200), count(400)), (1, 63));
    let replayed = answers.iter().filter(|it| it.body["code"] == "exchange_replayed").count();
    assert_eq!(replayed, 63);
    // Another rule does not make it fresh.
    let other = lab.rule(json!({"everywhere": true})).await;
    let refused = lab.exchange(other, &token).await.expect(400).body;
    assert_eq!(refused["code"], "exchange_replayed");
}

#[sqlx::test(migrations = false)]
async fn an_access_token_dies_with_its_rule(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let robot = lab.signed_in().await;
    assert_eq!(lab.team.status_for(&robot).await, 200);
    let path = format!("organizations/{}/trusts/", lab.team.organization);
    let listed = lab.team.app.read(&lab.team.admin, &path).await.expect(200).body;
    assert_eq!(listed["trusts"][0]["conditions"][1]["pattern"], "refs/heads/main");
    let path = format!("{path}{}/", lab.trust);
    lab.team.app.remove(&lab.team.admin, &path, Value::Null).await.expect(204);
    assert_eq!(lab.team.status_for(&robot).await, 401);
    let refused = lab.exchange(lab.trust, &lab.token(json!({}))).await.expect(400).body;
    assert_eq!(refused["code"], "exchange_refused");
}

#[sqlx::test(migrations = false)]
async fn an_issuer_that_misbehaves_gets_nobody_in(pool: PgPool) {
    let lab = Lab::start(pool).await;
    for mood in [
        Mood::RedirectsDiscovery,
        Mood::NamesAnother,
        Mood::KeysElsewhere,
        Mood::Huge,
        Mood::Garbage,
    ] {
        *lab.issuer.mood.lock().unwrap() = mood;
        let refused = lab.exchange(lab.trust, &lab.token(json!({}))).await.expect(503).body;
        assert_eq!(refused["code"], "unavailable");
    }
    assert_eq!(lab.issuer.asked.load(Ordering::SeqCst), 0, "its keys were never asked for");
    *lab.issuer.mood.lock().unwrap() = Mood::Good;
    lab.signed_in().await;
}

#[sqlx::test(migrations = false)]
async fn keys_are_asked_for_again_at_most_once_a_minute(pool: PgPool) {
    let lab = Lab::start(pool).await;
    lab.signed_in().await;
    let asked = || lab.issuer.asked.load(Ordering::SeqCst);
    assert_eq!(asked(), 1);
    *lab.issuer.kid.lock().unwrap() = "two";
    let next = || {
        let header = json!({"alg": "EdDSA", "kid": "two"});
        lab.issuer.sign(&header, &lab.claims(json!({})))
    };
    for _ in 0..5 {
        lab.exchange(lab.trust, &next()).await.expect(400);
    }
    assert_eq!(asked(), 1, "not within the minute");
    lab.team.app.clock.advance(Lifetime::from_minutes(1));
    lab.exchange(lab.trust, &next()).await.expect(200);
    assert_eq!(asked(), 2);
}

#[sqlx::test(migrations = false)]
async fn a_rule_names_a_configured_issuer_and_narrows_the_subject(pool: PgPool) {
    let lab = Lab::start(pool).await;
    let path = format!("organizations/{}/trusts/", lab.team.organization);
    let sub = json!([{"claim": "sub", "pattern": "x"}]);
    for (wish, field) in [
        (json!({"issuer": "https://evil.example", "conditions": sub}), "issuer"),
        (json!({"issuer": lab.issuer.url, "conditions": []}), "conditions"),
        (
            json!({"issuer": lab.issuer.url, "conditions": [{"claim": "sub", "pattern": "**"}]}),
            "conditions",
        ),
        (
            json!({"issuer": lab.issuer.url, "conditions": sub, "lifetime_minutes": 61}),
            "lifetime_minutes",
        ),
        (json!({"issuer": lab.issuer.url, "conditions": sub, "role": "admin"}), "role"),
    ] {
        let mut wish = wish;
        (wish["name"], wish["everywhere"]) = (json!("x"), json!(true));
        let refused = lab.team.app.make(&lab.team.admin, &path, wish.clone()).await.expect(400);
        assert!(refused.body["details"][field].is_array(), "{wish} {}", refused.body);
    }
}
