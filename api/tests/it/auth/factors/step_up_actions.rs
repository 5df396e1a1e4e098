//! What asks for an authentication of the last five minutes: each action refused when it is stale, done after the person
//! has proved again who they are.

use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Guarded, guarded, signed};
use crate::app::TestApp;
use crate::auth::calls::{answer, logged};
use crate::person::{PASSWORD, Person};

/// A call, and the event that it appends.
struct Action {
    method: Method,
    path: String,
    body: Value,
    event: &'static str,
    done: u16,
}

impl Action {
    fn post(path: impl Into<String>, body: Value, event: &'static str, done: u16) -> Self {
        Self { method: Method::POST, path: path.into(), body, event, done }
    }

    async fn call(&self, app: &TestApp, person: &Person) -> (u16, Value) {
        let request = app.as_person(person, self.method.clone(), &self.path);
        let request = if self.body.is_null() { request } else { request.json(&self.body) };
        answer(request).await
    }

    /// Five minutes after the sign-in it is refused and appends nothing; a wrong proof opens nothing; the right one does.
    async fn asks(&self, app: &TestApp, person: &Person, proof: Value) {
        let before = logged(app, self.event).await;
        let (status, told) = self.call(app, person).await;
        assert_eq!(
            (status, &told["code"]),
            (403, &json!("step_up_required")),
            "{}: {told}",
            self.path
        );
        let guess = json!({ "password": "a wrong guess" });
        let (status, _) = signed(app, &person.access, "/api/auth/reauthenticate/", guess).await;
        assert_eq!(status, 400);
        assert_eq!(self.call(app, person).await.0, 403, "{} after a wrong guess", self.path);
        assert_eq!(logged(app, self.event).await, before, "{} was refused", self.path);
        let (status, told) = signed(app, &person.access, "/api/auth/reauthenticate/", proof).await;
        assert_eq!(status, 200, "{told}");
        let (status, told) = self.call(app, person).await;
        assert_eq!(status, self.done, "{}: {told}", self.path);
        assert_eq!(logged(app, self.event).await, before + 1, "{}", self.path);
    }
}

fn stale(app: &TestApp) {
    app.clock.advance(Lifetime::from_minutes(5));
}

fn password() -> Value {
    json!({ "password": PASSWORD })
}

fn both(app: &TestApp, ann: &Guarded) -> Value {
    json!({ "password": PASSWORD, "code": ann.code(app) })
}

/// Ann's organization with a value in it, which asks for fresh authentications or not.
async fn team(app: &TestApp, ann: &Person, step_up: bool) -> (i64, i64) {
    let team = app.make(ann, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    let wish = json!({"name": "web", "organization": team});
    let project = app.make(ann, "projects/", wish).await.expect(201).id();
    let wish = json!({"name": "dev", "project": project});
    let environment = app.make(ann, "environments/", wish).await.expect(201).id();
    let wish = json!({"key": "TOKEN", "value": "canary", "environment": environment});
    app.make(ann, "variables/", wish).await.expect(201);
    let path = format!("organizations/{team}/security/");
    app.change(ann, &path, json!({ "step_up": step_up })).await.expect(200);
    (team, environment)
}

#[sqlx::test(migrations = false)]
async fn a_clear_export_asks_where_the_organization_says_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, strict) = team(&app, &ann, true).await;
    stale(&app);
    let path = format!("/api/core/environments/{strict}/export/");
    for format in ["env", "json", "yaml"] {
        let (status, told) =
            answer(app.as_person(&ann, Method::GET, &format!("{path}?format={format}"))).await;
        assert_eq!((status, &told["code"]), (403, &json!("step_up_required")), "{format}");
        assert!(!told.to_string().contains("canary"), "{told}");
    }
    let method = Method::GET;
    let export =
        Action { method, path, body: Value::Null, event: "access.environment_exported", done: 200 };
    export.asks(&app, &ann, password()).await;
}

#[sqlx::test(migrations = false)]
async fn an_organization_that_does_not_say_so_asks_for_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (team, environment) = team(&app, &ann, false).await;
    stale(&app);
    app.read(&ann, &format!("environments/{environment}/export/")).await.expect(200);
    app.remove(&ann, &format!("organizations/{team}/"), Value::Null).await.expect(204);
}

#[sqlx::test(migrations = false)]
async fn the_end_of_an_organization_asks_where_it_says_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (team, _) = team(&app, &ann, true).await;
    stale(&app);
    let (method, path) = (Method::DELETE, format!("/api/core/organizations/{team}/"));
    let end = Action { method, path, body: Value::Null, event: "organization.deleted", done: 204 };
    end.asks(&app, &ann, password()).await;
}

#[sqlx::test(migrations = false)]
async fn another_policy_always_asks(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (team, _) = team(&app, &ann, true).await;
    stale(&app);
    let (method, path) = (Method::PATCH, format!("/api/core/organizations/{team}/security/"));
    let body = json!({ "step_up": false });
    let event = "organization.security_policy_changed";
    Action { method, path, body, event, done: 200 }.asks(&app, &ann, password()).await;
}

#[sqlx::test(migrations = false)]
async fn another_factor_always_asks(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    stale(&app);
    let path = "/api/auth/factors/recovery-codes/";
    let codes = Action::post(path, json!({}), "user.recovery_codes_made", 201);
    codes.asks(&app, &ann.person, both(&app, &ann)).await;
    stale(&app);
    let (method, path) = (Method::DELETE, format!("/api/auth/factors/{}/", ann.factor));
    let removal =
        Action { method, path, body: Value::Null, event: "user.factor_removed", done: 204 };
    removal.asks(&app, &ann.person, both(&app, &ann)).await;
}

#[sqlx::test(migrations = false)]
async fn another_address_asks_and_a_password_alone_is_not_enough_beside_a_factor(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let bob = app.register_active("bob").await;
    stale(&app);
    let path = "/api/auth/change-email/";
    let wish = json!({ "new_email": "new@example.com", "current_password": PASSWORD });
    let change = Action::post(path, wish, "user.email_change_requested", 200);
    change.asks(&app, &ann.person, both(&app, &ann)).await;
    stale(&app);
    let change = Action::post(
        path,
        json!({ "new_email": "b@example.com" }),
        "user.email_change_requested",
        200,
    );
    change.asks(&app, &bob, password()).await;
    let wish = json!({ "new_email": "c@example.com", "current_password": PASSWORD });
    stale(&app);
    let (status, told) = signed(&app, &bob.access, path, wish).await;
    assert_eq!(status, 200, "the password is all that he could prove: {told}");
}

#[sqlx::test(migrations = false)]
async fn another_password_asks_for_the_old_one_and_for_the_factor_where_there_is_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let bob = app.register_active("bob").await;
    stale(&app);
    let path = "/api/auth/change-password/";
    let new = "another-Horse-8-battery";
    let wish =
        json!({ "current_password": PASSWORD, "new_password": new, "confirm_new_password": new });
    let change = Action::post(path, wish.clone(), "user.password_changed", 200);
    change.asks(&app, &ann.person, both(&app, &ann)).await;
    let mut guess = wish.clone();
    guess["current_password"] = "a wrong guess".into();
    assert_eq!(signed(&app, &bob.access, path, guess).await.0, 400);
    assert_eq!(signed(&app, &bob.access, path, wish).await.0, 200, "it is the proof itself");
}

#[sqlx::test(migrations = false)]
async fn a_personal_token_always_asks(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    stale(&app);
    let wish = json!({ "name": "laptop", "everywhere": true });
    Action::post("/api/auth/tokens/", wish, "user.token_created", 201)
        .asks(&app, &ann, password())
        .await;
}

#[sqlx::test(migrations = false)]
async fn a_service_token_and_a_rule_always_ask(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    builder.settings.exchange.issuers = vec!["https://issuer.example".to_owned()];
    let app = builder.start().await;
    let ann = app.register_active("ann").await;
    let (team, _) = team(&app, &ann, false).await;
    stale(&app);
    let path = format!("/api/core/organizations/{team}/tokens/");
    let wish = json!({ "name": "deploy", "everywhere": true });
    let event = "organization.service_token_created";
    Action::post(path, wish, event, 201).asks(&app, &ann, password()).await;
    stale(&app);
    let path = format!("/api/core/organizations/{team}/trusts/");
    let wish = json!({
        "name": "ci", "everywhere": true, "issuer": "https://issuer.example",
        "conditions": [{"claim": "sub", "pattern": "x"}],
    });
    Action::post(path, wish, "organization.trust_created", 201).asks(&app, &ann, password()).await;
}
