//! Ways to sign in that are no password: what they say and do tells nobody whether an account, an identity or a passkey
//! exists (D27, THREATS A7).

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::post;
use super::deed::{Deed, Witness, assert_same};
use super::factors::{Authenticator, enrol, guarded, question};
use super::oauth::browser::{Browser, sign_in};
use super::oauth::providers::{CLIENT, account, builder, hint, misbehaving, oidc};
use super::same_work::close;
use crate::app::TestApp;
use crate::person::registration;

/// The cost of what is refused before anybody is looked for.
const NOTHING: (u16, u64, usize, usize) = (400, 0, 0, 0);

fn cost(deed: &Deed) -> (u16, u64, usize, usize) {
    (deed.status, deed.hashes, deed.appends, deed.statements.len())
}

async fn begun(app: &TestApp) -> Value {
    post(app, "/api/auth/login/passkey/options/", json!({})).await.1
}

#[sqlx::test(migrations = false)]
async fn d27_a_passkey_ceremony_begins_the_same_whoever_has_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let witness = Witness::new(&app);
    let path = "/api/auth/login/passkey/options/";
    let mut deeds = vec![("nobody".to_owned(), witness.post(path, json!({}), "-").await)];
    let ann = app.register_active("ann").await;
    deeds.push(("somebody".to_owned(), witness.post(path, json!({}), "-").await));
    let mut key = Authenticator::new("ann's laptop");
    assert_eq!(enrol(&app, &ann, &mut key).await.0, 201);
    for body in [json!({}), json!({"email": ann.email}), json!({"email": "nobody@example.com"})] {
        deeds.push((body.to_string(), witness.post(path, body, "-").await));
    }
    assert_eq!(cost(&deeds[0].1), (200, 0, 0, 0), "{:#?}", deeds[0]);
    assert!(!deeds[0].1.bytes.contains("allowCredentials\":[{"), "{}", deeds[0].1.bytes);
    assert_same("begin", &deeds);
}

/// Bob's account is closed; his passkey stays where it is.
#[sqlx::test(migrations = false)]
async fn d27_a_passkey_is_refused_the_same_known_or_not(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let (mut anns, mut bobs) = (Authenticator::new("ann's key"), Authenticator::new("bob's key"));
    assert_eq!(enrol(&app, &ann, &mut anns).await.0, 201);
    assert_eq!(enrol(&app, &bob, &mut bobs).await.0, 201);
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let user = keynest_domain::UserId::new(bob.id);
    app.app.commands.deactivate_user(&origin, user).await.unwrap();
    let witness = Witness::new(&app);
    let path = "/api/auth/login/passkey/";
    let wish = |begun: &Value, key: &mut Authenticator| json!({ "challenge": begun["challenge"], "passkey": key.get(&begun["options"]) });
    for is_cold in [false, true] {
        let mut deeds = Vec::new();
        // Nobody's, somebody's id with another key, the right one of a closed account.
        let mut keys = [
            ("nobody's", Authenticator::new("new's key")),
            ("stolen id", Authenticator::new("ann's key")),
        ];
        for key in keys.iter_mut().map(|(name, key)| (*name, key)).chain([("closed", &mut bobs)]) {
            let begun = begun(&app).await;
            let body = wish(&begun, key.1);
            let deed = if is_cold {
                let warm_up = wish(&begun, &mut Authenticator::new("warm's key"));
                let cold = witness.cold(path, warm_up, &[ann.id, bob.id]).await;
                witness.post_cold(&cold, path, body, "-").await
            } else {
                witness.post(path, body, "-").await
            };
            deeds.push((key.0.to_owned(), deed));
        }
        let first = &deeds[0].1;
        assert!(
            first.bytes.contains("passkey_refused") && first.statements.len() > 3,
            "{first:#?}"
        );
        assert_same(&format!("finish, cold: {is_cold}"), &deeds);
    }
}

#[sqlx::test(migrations = false)]
async fn d27_a_challenge_that_is_none_is_refused_without_a_look_at_anybody(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let asked = question(&app, &ann.person).await;
    let ceremony = begun(&app).await;
    let late = question(&app, &ann.person).await;
    app.clock.advance(Lifetime::from_minutes(6));
    let asked = asked["challenge"].as_str().unwrap();
    let bent = format!("{}A", &asked[..asked.len() - 1]);
    let witness = Witness::new(&app);
    let mut deeds = Vec::new();
    for challenge in
        [json!("made-up"), json!(bent), ceremony["challenge"].clone(), late["challenge"].clone()]
    {
        let body = json!({ "challenge": challenge, "code": ann.code(&app) });
        deeds.push((
            challenge.to_string(),
            witness.post("/api/auth/login/challenge/", body, "-").await,
        ));
    }
    assert_eq!(cost(&deeds[0].1), NOTHING, "{:#?}", deeds[0]);
    assert_same("challenge", &deeds);
}

/// Ann came by the provider, off has not confirmed the address, bob's account is closed.
async fn world(pool: PgPool) -> TestApp {
    let app = builder(pool, vec![oidc("google", &misbehaving("good"))]).start().await;
    assert_eq!(sign_in(&app, "google", &account("ann")).await.0, 200);
    assert_eq!(post(&app, "/api/auth/register/", registration("off")).await.0, 201);
    close(&app, "bob").await;
    app.catch_up().await;
    app
}

/// Somebody at the provider, with the address of somebody here.
fn stranger(subject: &str, email: &str, is_verified: bool) -> Value {
    json!({
        "sub": subject, "email": format!("{email}@example.com"), "email_verified": is_verified,
        "given_name": "Some", "family_name": "Body",
    })
}

fn token(account: &Value, audience: &str) -> Value {
    let token = hint(&json!({"account": account, "aud": audience, "azp": Value::Null}));
    json!({ "access_token": token })
}

/// A refusal is filed at once or counted into a minute's: each in a minute of its own is filed.
async fn told(witness: &Witness<'_>, path: &str, body: Value) -> Deed {
    witness.app.clock.advance(Lifetime::from_minutes(2));
    witness.post(path, body, "-").await
}

#[sqlx::test(migrations = false)]
async fn d27_a_providers_token_is_refused_the_same_for_every_identity_and_address(pool: PgPool) {
    let app = world(pool).await;
    let witness = Witness::new(&app);
    let path = "/api/auth/oauth/google/";
    told(&witness, path, token(&stranger("x", "warm", false), CLIENT)).await;
    type Wish = fn(&str) -> Value;
    let rows: [(&str, &str, Wish); 2] = [
        ("another application's", "oauth_proof_invalid", |name| {
            token(&stranger(&format!("subject-of-{name}"), name, true), "another-application")
        }),
        ("unverified", "oauth_address_unverified", |name| {
            token(&stranger(&format!("other-{name}"), name, false), CLIENT)
        }),
    ];
    for (what, code, wish) in rows {
        let mut deeds = Vec::new();
        for name in ["new", "off", "ann", "bob"] {
            deeds.push((name.to_owned(), told(&witness, path, wish(name)).await));
        }
        let first = &deeds[0].1;
        assert!(first.bytes.contains(code), "{what}: {first:#?}");
        assert_eq!((first.status, first.hashes, first.appends), (400, 0, 1), "{what}");
        assert_same(what, &deeds);
    }
    // Whoever proves an address hears that it has an account, and not in which state that is.
    let mut deeds = Vec::new();
    for name in ["off", "ann", "bob"] {
        let wish = token(&stranger(&format!("proved-{name}"), name, true), CLIENT);
        deeds.push((name.to_owned(), told(&witness, path, wish).await));
    }
    assert_eq!(deeds[0].1.status, 409, "{:#?}", deeds[0]);
    assert_same("taken", &deeds);
}

#[sqlx::test(migrations = false)]
async fn d27_a_way_back_is_refused_the_same_for_every_identity_and_address(pool: PgPool) {
    let app = world(pool).await;
    let witness = Witness::new(&app);
    let path = "/api/auth/oauth/exchange/";
    let (mut callbacks, mut exchanges) = (Vec::new(), Vec::new());
    for name in ["new", "off", "ann", "bob"] {
        let account = stranger(&format!("other-{name}"), name, false);
        let mut browser = Browser::new(&app);
        let authorize = browser.start("google", &account).await;
        let callback = browser.sign_in_there(&authorize).await;
        // The callback looks for nobody: it hands out a code for whoever came back.
        let (kind, code) = browser.come_back(&callback).await;
        callbacks.push((kind, code.len()));
        // In a minute of its own, while the code and what the provider signed are still good.
        app.clock.advance(Lifetime::from_secs(61));
        let deed = witness.post(path, json!({ "code": code }), "-").await;
        exchanges.push((name.to_owned(), deed));
    }
    assert!(callbacks.iter().all(|it| it.0 == "code" && *it == callbacks[0]), "{callbacks:?}");
    let first = &exchanges[0].1;
    assert!(first.bytes.contains("oauth_address_unverified"), "{first:#?}");
    assert_same("exchange", &exchanges);
}
