//! Another address.

use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::account::assert_rebuilt_equals_live;
use super::calls::{MANY, answer, log_in, logged, post, profile_status, race, refresh};
use super::factors::{Authenticator, passkeys};
use super::oauth::browser::sign_in;
use super::oauth::identities::{finish, link_code};
use super::oauth::providers::{account, builder, misbehaving, oidc};
use crate::app::TestApp;
use crate::person::{PASSWORD, Person, registration};

const PATH: &str = "/api/auth/change-email/";
const NEW: &str = "ann@example.net";
const OLD: &str = "ann@example.com";
/// Another password.
const NEXT: &str = "four quiet words here";

async fn ask(app: &TestApp, person: &Person, email: &str) -> (u16, Value) {
    let body = json!({"new_email": email, "current_password": PASSWORD});
    answer(app.post(PATH).bearer_auth(&person.access).json(&body)).await
}

/// The path of a link in the newest mail of a kind to an address.
async fn link(app: &TestApp, kind: &str, to: &str, page: &str) -> Option<String> {
    let mails = app.deliver().await;
    let mail = mails.into_iter().find(|it| it.kind == kind && it.recipient == to)?;
    let link = mail.body_text.lines().find(|line| line.contains(page))?;
    Some(format!("/{}", link.splitn(4, '/').nth(3)?))
}

async fn new_link(app: &TestApp) -> String {
    link(app, "email_change_confirm", NEW, "/confirm-email/").await.unwrap()
}

async fn old_link(app: &TestApp) -> String {
    link(app, "email_change_notice", OLD, "/confirm-email/").await.unwrap()
}

/// Uses a link as a program does: `confirm`, `cancel` or `undo`.
async fn follow(app: &TestApp, what: &str, path: &str) -> (u16, Value) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    post(app, &format!("{PATH}{what}/"), json!({"uid": parts[1], "token": parts[2]})).await
}

async fn changed(app: &TestApp, ann: &Person) {
    assert_eq!(ask(app, ann, NEW).await.0, 200);
    let links = [new_link(app).await, old_link(app).await];
    assert_eq!(follow(app, "confirm", &links[0]).await.1["changed"], false);
    assert_eq!(follow(app, "confirm", &links[1]).await.1["changed"], true);
}

#[sqlx::test(migrations = false)]
async fn an_address_changes_when_both_sides_have_said_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let phone = app.sign_in("ann").await;
    assert_eq!(ask(&app, &ann, "Ann@Example.net").await.0, 200);
    assert_eq!(log_in(&app, NEW, PASSWORD).await.0, 400, "not yet");
    let (new, old) = (new_link(&app).await, old_link(&app).await);
    assert_eq!(follow(&app, "confirm", &old).await, follow_told(false));
    assert_eq!(profile_status(&app, &phone.access).await, 200);
    assert_eq!(follow(&app, "confirm", &old).await.0, 400, "a link works once");
    assert_eq!(follow(&app, "confirm", &new).await, follow_told(true));
    assert_eq!(log_in(&app, NEW, PASSWORD).await.0, 200);
    assert_eq!(log_in(&app, OLD, PASSWORD).await.0, 400);
    assert_eq!(profile_status(&app, &phone.access).await, 401, "other sessions end");
    assert_eq!(refresh(&app, &phone.refresh).await.0, 400);
    let (_, told) = answer(app.get("/api/auth/profile/").bearer_auth(&ann.access)).await;
    assert_eq!(told["email"], NEW, "the session that asked stays");
    let mails = app.deliver().await;
    let told: Vec<_> = mails.iter().filter(|it| it.kind == "email_changed").collect();
    assert_eq!(told.len(), 2, "both addresses are told");
    assert!(told.iter().all(|it| it.body_text.contains("undo-email") == (it.recipient == OLD)));
    // The claim moved: the old address is free, the new one is not.
    let mut bob = registration("bob");
    bob["email"] = json!(OLD);
    assert_eq!(post(&app, "/api/auth/register/", bob.clone()).await.0, 201);
    bob["username"] = json!("carol");
    bob["email"] = json!(NEW);
    assert_eq!(post(&app, "/api/auth/register/", bob).await.0, 201);
    assert_eq!(logged(&app, "user.registered").await, 2);
}

fn follow_told(changed: bool) -> (u16, Value) {
    let message = match changed {
        true => "The address was changed.",
        false => "Confirmed. The address changes when the link in the other mail was used as well.",
    };
    (200, json!({"message": message, "changed": changed}))
}

#[sqlx::test(migrations = false)]
async fn a_taken_address_is_answered_like_a_free_one_and_only_its_owner_hears_of_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let head = async |app: &TestApp| {
        let log = app.app.commands.store().read_all(keynest_store::Position::START, 10_000).await;
        log.unwrap().len()
    };
    let before = head(&app).await;
    let free = ask(&app, &ann, NEW).await;
    let between = head(&app).await;
    let taken = ask(&app, &ann, &bob.email).await;
    assert_eq!(free, taken);
    assert_eq!(between - before, head(&app).await - between, "the same work");
    let mails = app.deliver().await;
    let to_bob: Vec<_> = mails.iter().filter(|it| it.recipient == bob.email).collect();
    assert_eq!(to_bob[0].kind, "email_change_taken");
    assert!(!to_bob[0].body_text.contains("confirm-email"), "no link that would move it");
    assert!(!to_bob[0].body_text.contains("ann@"), "nor who asked");
    let old = old_link(&app).await;
    assert_eq!(follow(&app, "confirm", &old).await, follow_told(false));
    assert_eq!(log_in(&app, &bob.email, PASSWORD).await.1["user"]["id"], bob.id);
}

#[sqlx::test(migrations = false)]
async fn an_address_that_was_taken_meanwhile_is_not_taken_twice(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    assert_eq!(ask(&app, &ann, NEW).await.0, 200);
    let (new, old) = (new_link(&app).await, old_link(&app).await);
    let mut bob = registration("bob");
    bob["email"] = json!(NEW);
    assert_eq!(post(&app, "/api/auth/register/", bob).await.0, 201);
    assert_eq!(follow(&app, "confirm", &old).await.0, 200);
    let (status, told) = follow(&app, "confirm", &new).await;
    assert_eq!((status, &told["code"]), (409, &json!("email_taken")));
    assert_eq!(log_in(&app, OLD, PASSWORD).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn a08_of_64_uses_of_each_link_one_wins(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    assert_eq!(ask(&app, &ann, NEW).await.0, 200);
    for path in [new_link(&app).await, old_link(&app).await] {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body = json!({"uid": parts[1], "token": parts[2]});
        let (client, url) = (app.client.clone(), app.url(&format!("{PATH}confirm/")));
        let statuses = race(move |_| {
            let request = client.post(&url).json(&body);
            async move { answer(request).await.0 }
        });
        let statuses = statuses.await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), MANY - 1);
    }
    assert_eq!(logged(&app, "user.email_changed").await, 1);
}

#[sqlx::test(migrations = false)]
async fn a13_a_wish_dies_with_a_cancel_a_newer_wish_a_new_password_and_a_reset(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (n, end) in ["cancel", "give up", "newer wish", "new password", "reset"].iter().enumerate()
    {
        let ann = app.register_active(&format!("ann{n}")).await;
        let wished = format!("new{n}@example.net");
        assert_eq!(ask(&app, &ann, &wished).await.0, 200);
        let new = link(&app, "email_change_confirm", &wished, "/confirm-email/").await.unwrap();
        let old = link(&app, "email_change_notice", &ann.email, "/confirm-email/").await.unwrap();
        assert_eq!(follow(&app, "confirm", &new).await.0, 200);
        kill(&app, &ann, end).await;
        let (status, told) = follow(&app, "confirm", &old).await;
        assert_eq!((status, &told["code"]), (400, &json!("invalid_link")), "{end}");
    }
    assert_eq!(logged(&app, "user.email_changed").await, 0);
}

/// What ends a wish.
async fn kill(app: &TestApp, ann: &Person, end: &str) {
    let next = NEXT;
    let status = match end {
        "cancel" => {
            let path = link(app, "email_change_notice", &ann.email, "/cancel-email/").await;
            follow(app, "cancel", &path.unwrap()).await.0
        }
        "give up" => answer(app.as_person(ann, Method::DELETE, PATH)).await.0,
        "newer wish" => ask(app, ann, "other@example.net").await.0,
        "new password" => {
            let body = json!({"current_password": PASSWORD, "new_password": next, "confirm_new_password": next});
            let call = app.as_person(ann, Method::POST, "/api/auth/change-password/");
            answer(call.json(&body)).await.0
        }
        _ => {
            post(app, "/api/auth/password-reset/", json!({"email": ann.email})).await;
            let path = link(app, "password_reset", &ann.email, "/reset-password/").await.unwrap();
            let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
            let body = json!({"uid": parts[1], "token": parts[2], "new_password": next, "confirm_password": next});
            post(app, "/api/auth/password-reset-confirm/", body).await.0
        }
    };
    assert_eq!(status, 200, "{end}");
}

#[sqlx::test(migrations = false)]
async fn the_old_owner_takes_the_address_back_and_everybody_is_out(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    changed(&app, &ann).await;
    let (status, told) = ask(&app, &ann, "ann@example.org").await;
    assert_eq!((status, &told["code"]), (409, &json!("email_changed_recently")));
    let undo = link(&app, "email_changed", OLD, "/undo-email/").await.unwrap();
    for other in ["confirm", "cancel"] {
        assert_eq!(follow(&app, other, &undo).await.0, 400, "{other}");
    }
    assert_eq!(follow(&app, "undo", &undo).await.0, 200);
    assert_eq!(follow(&app, "undo", &undo).await.0, 400, "once");
    assert_eq!(profile_status(&app, &ann.access).await, 401);
    assert_eq!(refresh(&app, &ann.refresh).await.0, 400);
    assert_eq!(log_in(&app, NEW, PASSWORD).await.0, 400);
    assert_eq!(
        log_in(&app, OLD, PASSWORD).await.0,
        400,
        "whoever changed it may know the password"
    );
    reset(&app).await;
    assert_eq!(log_in(&app, OLD, NEXT).await.0, 200);
    assert!(app.deliver().await.iter().any(|it| it.kind == "email_change_undone"));
}

/// Sets [`NEXT`] by the link that the undoing mails.
async fn reset(app: &TestApp) {
    let path = link(app, "password_reset", OLD, "/reset-password/").await.unwrap();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let body =
        json!({"uid": parts[1], "token": parts[2], "new_password": NEXT, "confirm_password": NEXT});
    assert_eq!(post(app, "/api/auth/password-reset-confirm/", body).await.0, 200);
}

/// The ids in one of the person's lists.
async fn listed(app: &TestApp, access: &str, path: &str, list: &str) -> Vec<Value> {
    let (status, told) = answer(app.get(&format!("/api/auth/{path}/")).bearer_auth(access)).await;
    assert_eq!(status, 200, "{told}");
    told[list].as_array().unwrap().iter().map(|it| it["id"].clone()).collect()
}

#[sqlx::test(migrations = false)]
async fn the_ways_in_that_a_thief_added_go_with_the_change_and_the_owners_stay(pool: PgPool) {
    let providers = ["google", "other"].map(|name| oidc(name, &misbehaving("good"))).to_vec();
    let app = builder(pool, providers).start().await;
    let ann = app.register_active("ann").await;
    let mut own = Authenticator::new("the owner's");
    let (_, enrolled) = passkeys::enrol(&app, &ann, &mut own).await;
    let code = link_code(&app, &ann, "google", &account("own")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    let (owns, _) = app.token(&ann, json!({"everywhere": true})).await;
    // Somebody with the session and the password, first with the wish, then with ways in.
    assert_eq!(ask(&app, &ann, NEW).await.0, 200);
    let mut thiefs = Authenticator::new("the thief's");
    assert_eq!(passkeys::enrol(&app, &ann, &mut thiefs).await.0, 201);
    let code = link_code(&app, &ann, "other", &account("thief")).await;
    assert_eq!(finish(&app, &ann, &code).await.0, 201);
    let (theirs, _) = app.token(&ann, json!({"everywhere": true})).await;
    let path = "/api/auth/factors/recovery-codes/";
    assert_eq!(answer(app.as_person(&ann, Method::POST, path)).await.0, 201);
    changed(&app, &ann).await;
    let undo = link(&app, "email_changed", OLD, "/undo-email/").await.unwrap();
    assert_eq!(follow(&app, "undo", &undo).await.0, 200);

    for token in [&owns, &theirs] {
        let call = app.as_person(token, Method::GET, "/api/core/projects/");
        assert_eq!(answer(call).await.0, 401, "whose it was nobody knows");
    }
    assert_eq!(passkeys::sign_in(&app, &mut thiefs).await.0, 400);
    let (_, told) = sign_in(&app, "other", &account("thief")).await;
    assert_eq!(told["is_new_user"], json!(true), "the identity is free: {told}");
    reset(&app).await;
    let (status, told) = passkeys::sign_in(&app, &mut own).await;
    assert_eq!((status, &told["user"]["id"]), (200, &json!(ann.id)), "{told}");
    let access = told["access"].as_str().unwrap();
    assert_eq!(listed(&app, access, "factors", "results").await, [enrolled["id"].clone()]);
    assert_eq!(listed(&app, access, "identities", "identities").await.len(), 1);
    let (_, factors) = answer(app.get("/api/auth/factors/").bearer_auth(access)).await;
    assert_eq!(factors["recovery_codes_left"], 0, "the thief has seen the newest");
    assert_rebuilt_equals_live(&app).await;
}

#[sqlx::test(migrations = false)]
async fn the_way_back_closes_after_three_days(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    changed(&app, &ann).await;
    let undo = link(&app, "email_changed", OLD, "/undo-email/").await.unwrap();
    app.clock.advance(Lifetime::from_days(3));
    assert_eq!(follow(&app, "undo", &undo).await.0, 400);
    let again = Person { email: NEW.to_owned(), ..ann };
    let (_, told) = log_in(&app, &again.email, PASSWORD).await;
    let again = Person { access: told["access"].as_str().unwrap().to_owned(), ..again };
    assert_eq!(ask(&app, &again, "ann@example.org").await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn the_pages_change_nothing_before_their_button(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    assert_eq!(ask(&app, &ann, NEW).await.0, 200);
    let cancel = link(&app, "email_change_notice", OLD, "/cancel-email/").await.unwrap();
    let links = [new_link(&app).await, old_link(&app).await];
    for path in links.iter().chain([&cancel]) {
        let page = app.get(path).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().contains("<button>"));
    }
    assert_eq!(logged(&app, "user.email_change_confirmed").await, 0);
    for path in &links {
        assert_eq!(app.post(path).send().await.unwrap().status(), 200);
    }
    assert_eq!(app.post(&cancel).send().await.unwrap().status(), 400, "too late");
    let undo = link(&app, "email_changed", OLD, "/undo-email/").await.unwrap();
    assert_eq!(app.get(&undo).send().await.unwrap().status(), 200);
    assert_eq!(log_in(&app, NEW, PASSWORD).await.0, 200);
    assert_eq!(app.post(&undo).send().await.unwrap().status(), 200);
    reset(&app).await;
    assert_eq!(log_in(&app, OLD, NEXT).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn asking_needs_the_password_or_a_fresh_sign_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let ask_with = async |app: &TestApp, body: Value| {
        answer(app.post(PATH).bearer_auth(&ann.access).json(&body)).await
    };
    for (body, field) in [
        (json!({"new_email": OLD, "current_password": PASSWORD}), "new_email"),
        (json!({"new_email": "nobody", "current_password": PASSWORD}), "new_email"),
        (json!({"new_email": NEW, "current_password": "wrong guess"}), "current_password"),
    ] {
        let (status, told) = ask_with(&app, body).await;
        assert_eq!(status, 400);
        assert!(told["details"][field][0].is_string(), "{field}: {told}");
    }
    assert_eq!(ask_with(&app, json!({"new_email": NEW})).await.0, 200, "signed in just now");
    app.clock.advance(Lifetime::from_minutes(6));
    let (status, told) = ask_with(&app, json!({"new_email": NEW})).await;
    assert_eq!((status, &told["code"]), (403, &json!("step_up_required")));
    let guess = json!({"new_email": NEW, "current_password": "wrong guess"});
    for _ in 0..4 {
        assert_eq!(ask_with(&app, guess.clone()).await.0, 400);
    }
    let (status, told) = ask_with(&app, guess).await;
    assert_eq!((status, &told["code"]), (429, &json!("locked_out")));
    assert_eq!(answer(app.post(PATH).json(&json!({"new_email": NEW}))).await.0, 403);
}

#[sqlx::test(migrations = false)]
async fn nobody_floods_strangers_with_wishes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for n in 0..5 {
        assert_eq!(ask(&app, &ann, &format!("ann{n}@example.net")).await.0, 200);
    }
    let response = app
        .post(PATH)
        .bearer_auth(&ann.access)
        .json(&json!({"new_email": NEW, "current_password": PASSWORD}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
    let told: Value = response.json().await.unwrap();
    assert_eq!(told["code"], "too_many_email_changes");
}
