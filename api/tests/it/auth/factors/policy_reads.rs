//! Who has not signed in with the second factor that an organization requires sees nothing of it, on any route that reads;
//! who has sees everything. A route that reads and has no row fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Guarded, guarded, question, reply};
use crate::app::TestApp;
use crate::auth::calls::answer;
use crate::core::team::Answer;
use crate::person::Person;

/// In every name that only those who are let in may see.
const CANARY: &str = "canary";

/// How a route that reads is closed.
#[derive(Clone, Copy, PartialEq)]
enum Closed {
    /// 403 `second_factor_required_by_organization`.
    Refused,
    /// 200 with nothing of the organization.
    Empty,
    /// 200 with the organization's name and the caller's role.
    Named,
    /// There is nothing of any organization in it.
    Open,
}
use Closed::*;

/// Path below `/api/core/`, how it is closed, and whether it takes tokens.
const ROWS: &[(&str, Closed, bool)] = &[
    ("", Open, true),
    ("organizations/", Named, true),
    ("organizations/{o}/", Refused, true),
    ("organizations/{o}/security/", Refused, false),
    ("organizations/{o}/members/", Refused, true),
    ("organizations/{o}/address-rules/", Refused, false),
    ("organizations/{o}/invitations/", Refused, false),
    ("organizations/{o}/tokens/", Refused, false),
    ("organizations/{o}/trusts/", Refused, false),
    ("projects/", Empty, true),
    ("projects/?organization={o}", Empty, true),
    ("projects/{p}/", Refused, true),
    ("projects/{p}/environments/", Refused, true),
    ("environments/", Empty, true),
    ("environments/?project={p}", Empty, true),
    ("environments/{e}/", Refused, true),
    ("environments/{e}/variables/", Refused, true),
    ("environments/{e}/export/", Refused, true),
    ("variables/", Empty, true),
    ("variables/{v}/", Refused, true),
    ("audit-logs/", Empty, true),
    ("audit-logs/?organization={o}", Empty, true),
];

/// An organization that requires a second factor, and everybody who may want to read it.
struct Required {
    app: TestApp,
    /// An admin without a factor.
    bob: Person,
    closed: Vec<(&'static str, Person)>,
    open: Vec<(&'static str, Person)>,
    ids: [i64; 4],
}

impl Required {
    fn path(&self, path: &str) -> String {
        let [organization, project, environment, variable] = self.ids.map(|id| id.to_string());
        path.replace("{o}", &organization)
            .replace("{p}", &project)
            .replace("{e}", &environment)
            .replace("{v}", &variable)
    }

    async fn require(&self, admin: &Person, is_required: bool) {
        let path = self.path("organizations/{o}/security/");
        let wish = json!({ "require_second_factor": is_required });
        self.app.change(admin, &path, wish).await.expect(200);
    }
}

/// A session that began with the second factor.
async fn signed_in(app: &TestApp, guarded: &Guarded) -> Person {
    super::next_step(app);
    let asked = question(app, &guarded.person).await;
    let (status, told) = reply(app, &asked, "code", guarded.code(app).into()).await;
    assert_eq!(status, 200, "{told}");
    Person { access: told["access"].as_str().unwrap().to_owned(), ..guarded.person.clone() }
}

async fn required(pool: PgPool) -> Required {
    let app = TestApp::start(pool).await;
    let bob = app.register_active("bob").await;
    let early = app.register_active("ann").await;
    let everywhere = json!({"everywhere": true, "access": "write"});
    let (early_token, _) = app.token(&early, everywhere.clone()).await;
    let ann = super::enrolled(&app, early).await;
    // The session that enrolled the factor began without one, and so did what it makes.
    let (late_token, _) = app.token(&ann.person, everywhere.clone()).await;
    let (bobs_token, _) = app.token(&bob, everywhere.clone()).await;
    let inside = signed_in(&app, &ann).await;
    let (good_token, _) = app.token(&inside, everywhere.clone()).await;
    let organization =
        app.make(&inside, "organizations/", json!({"name": "Acme", "description": "canary team"}));
    let organization = organization.await.expect(201).id();
    app.join(&inside, organization, &bob, "admin").await;
    let wish = json!({"name": "canary web", "organization": organization});
    let project = app.make(&bob, "projects/", wish).await.expect(201).id();
    let wish = json!({"name": "canary-dev", "project": project});
    let environment = app.make(&bob, "environments/", wish).await.expect(201).id();
    let wish = json!({"key": "CANARY_KEY", "value": "canary value", "environment": environment});
    let variable = app.make(&bob, "variables/", wish).await.expect(201).id();
    let path = format!("organizations/{organization}/invite_member/");
    app.make(&bob, &path, json!({"email": "canary@example.com"})).await.expect(201);
    let path = format!("organizations/{organization}/tokens/");
    let mut wish = everywhere;
    wish["name"] = "canary robot".into();
    wish["role"] = "editor".into();
    let service = app.make(&inside, &path, wish).await.expect(201);
    let service = crate::tokens::bearer(&inside, service.body["token"].as_str().unwrap());
    let closed = vec![
        ("a member without a factor", bob.clone()),
        ("a session that began without it", ann.person.clone()),
        ("a token of a member without a factor", bobs_token),
        ("a token from before the factor", early_token),
        ("a token of a session without it", late_token),
    ];
    let open = vec![
        ("a session that began with it", inside),
        ("a token of a session with it", good_token),
        ("a service", service),
    ];
    let ids = [organization, project, environment, variable];
    Required { app, bob, closed, open, ids }
}

/// Whether an answer is about the organization or anything in it.
fn tells(body: &Value) -> bool {
    body.to_string().to_lowercase().contains(CANARY)
}

#[sqlx::test(migrations = false)]
async fn nothing_is_read_without_the_factor_and_everything_with_it(pool: PgPool) {
    let team = required(pool).await;
    let (app, inside) = (&team.app, &team.open[0].1);
    // Everybody reads everything as long as nothing is required, so that what is closed below is closed by that.
    for (who, caller) in team.closed.iter().chain(&team.open) {
        for (path, closed, takes_tokens) in ROWS {
            let is_token = caller.access.starts_with("kn_");
            let told = app.read(caller, &team.path(path)).await;
            let wanted = if is_token && !takes_tokens { 403 } else { 200 };
            assert_eq!(told.status.as_u16(), wanted, "{path} for {who}: {:#}", told.body);
            let is_about = *closed != Open && wanted == 200;
            let is_quiet =
                ["security/", "address-rules/", "trusts/"].iter().any(|it| path.ends_with(it))
                    || path.ends_with("members/");
            assert!(
                !is_about || is_quiet || tells(&told.body),
                "{path} for {who}: {:#}",
                told.body
            );
        }
    }
    team.require(inside, true).await;
    for (path, closed, takes_tokens) in ROWS {
        for (who, caller) in &team.closed {
            let told = app.read(caller, &team.path(path)).await;
            let (status, body) = (told.status.as_u16(), told.body);
            assert!(!tells(&body), "{path} tells {who}: {body:#}");
            if caller.access.starts_with("kn_") && !takes_tokens {
                assert_eq!((status, &body["code"]), (403, &json!("token_not_allowed")), "{path}");
                continue;
            }
            match closed {
                Refused => {
                    let code = json!("second_factor_required_by_organization");
                    assert_eq!((status, &body["code"]), (403, &code), "{path} for {who}: {body:#}");
                }
                Empty => {
                    assert_eq!(status, 200, "{path} for {who}: {body:#}");
                    let rows = body["results"].as_array().unwrap();
                    let about = |row: &&Value| row["organization"] == team.ids[0];
                    assert_eq!(rows.iter().filter(about).count(), 0, "{path} for {who}: {body:#}");
                }
                Named => {
                    let rows = body["results"].as_array().unwrap();
                    let row = rows.iter().find(|row| row["id"] == team.ids[0]).expect(who);
                    assert_eq!(
                        (&row["name"], &row["second_factor_required"]),
                        (&json!("Acme"), &json!(true))
                    );
                    assert_eq!(
                        (&row["member_count"], &row["project_count"]),
                        (&json!(0), &json!(0))
                    );
                }
                Open => assert_eq!(status, 200, "{path} for {who}: {body:#}"),
            }
        }
        for (who, caller) in &team.open {
            let told = app.read(caller, &team.path(path)).await;
            let is_token = caller.access.starts_with("kn_");
            let wanted = if is_token && !takes_tokens { 403 } else { 200 };
            assert_eq!(told.status.as_u16(), wanted, "{path} for {who}: {:#}", told.body);
        }
    }
    team.require(inside, false).await;
    for (who, caller) in &team.closed {
        app.read(caller, &team.path("variables/{v}/")).await.expect(200);
        assert!(tells(&app.read(caller, "projects/").await.body), "{who} is let in again");
    }
}

/// Writes decide as reads do, for every kind of caller.
#[sqlx::test(migrations = false)]
async fn changes_are_refused_to_the_same_callers(pool: PgPool) {
    let team = required(pool).await;
    let inside = &team.open[0].1;
    team.require(inside, true).await;
    let path = team.path("variables/{v}/");
    for (is_open, callers) in [(false, &team.closed), (true, &team.open)] {
        for (who, caller) in callers {
            let told = team.app.change(caller, &path, json!({"value": *who})).await;
            let wanted = if is_open { 200 } else { 403 };
            assert_eq!(told.status.as_u16(), wanted, "{who}: {:#}", told.body);
        }
    }
}

#[sqlx::test(migrations = false)]
async fn the_event_feed_is_closed_as_the_rows_are(pool: PgPool) {
    let team = required(pool).await;
    let (all, of_it) = ("/api/events/", team.path("/api/events/?organization={o}"));
    let about = format!(r#""organization":"{}""#, team.ids[0]);
    let is_told = |told: Answer| told.expect(200).body.as_str().unwrap().contains(&about);
    for (who, caller) in team.closed.iter().chain(&team.open) {
        assert!(is_told(team.app.read(caller, all).await), "{who}, as long as nothing is required");
    }
    team.require(&team.open[0].1, true).await;
    for (who, caller) in &team.closed {
        assert!(
            !team.app.read(caller, all).await.body.to_string().contains(&team.ids[0].to_string()),
            "{who}"
        );
        let refused = team.app.read(caller, &of_it).await.expect(403).body;
        assert_eq!(refused["code"], "second_factor_required_by_organization", "{who}");
    }
    for (who, caller) in &team.open {
        assert!(is_told(team.app.read(caller, all).await), "{who}");
        assert!(is_told(team.app.read(caller, &of_it).await), "{who}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_copy_of_ones_data_and_notices_tell_nothing_of_it_either(pool: PgPool) {
    let team = required(pool).await;
    let (app, inside) = (&team.app, &team.open[0].1);
    let copy = "/api/auth/account/export/";
    assert!(tells(&app.read(&team.bob, copy).await.expect(200).body));
    for (name, is_required) in [("canary one", false), ("canary two", true)] {
        team.require(inside, is_required).await;
        let wish = json!({"name": name, "organization": team.ids[0]});
        app.make(inside, "projects/", wish).await.expect(201);
        let mails = app.deliver().await;
        let is_told = mails.iter().any(|mail| mail.body_text.contains(name));
        assert_eq!(is_told, !is_required, "bob has no factor");
    }
    let told = app.read(&team.bob, copy).await.expect(200).body;
    assert!(!tells(&told), "{told:#}");
    assert!(told.to_string().contains("Acme"), "that he is a member is his to know");
}

#[sqlx::test(migrations = false)]
async fn a_factor_that_is_removed_closes_the_organization_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let inside = signed_in(&app, &ann).await;
    let wish = json!({"name": "Acme"});
    let id = app.make(&inside, "organizations/", wish).await.expect(201).id();
    let security = format!("organizations/{id}/security/");
    app.change(&inside, &security, json!({"require_second_factor": true})).await.expect(200);
    let (token, _) = app.token(&inside, json!({"everywhere": true})).await;
    let path = format!("organizations/{id}/");
    for caller in [&inside, &token] {
        app.read(caller, &path).await.expect(200);
    }
    app.remove(&inside, &format!("/api/auth/factors/{}/", ann.factor), Value::Null)
        .await
        .expect(204);
    for caller in [&inside, &token] {
        let told = app.read(caller, &path).await.expect(403);
        assert_eq!(told.body["code"], "second_factor_required_by_organization");
    }
}

#[sqlx::test(migrations = false)]
async fn every_route_that_reads_has_a_row(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, document) = answer(app.request(Method::GET, "/api/openapi.json")).await;
    let served: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, methods)| methods.get("get").is_some())
        .filter_map(|(path, _)| Some(named(path.strip_prefix("/api/core/")?)))
        .collect();
    let rows: BTreeSet<_> =
        ROWS.iter().map(|row| named(row.0.split('?').next().unwrap())).collect();
    assert_eq!(rows, served);
}

/// A path with all its parameters alike.
fn named(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
