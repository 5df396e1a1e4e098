//! Who may do what: every route with every kind of caller (CONTRACT 4.2, THREATS A16). A route without a row fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;
use crate::app::TestApp;
use crate::person::Person;

/// Method, path below `/api/core/`, body, and the answers to: nobody, an outsider, a viewer, an editor, an admin.
type Row = (&'static str, &'static str, &'static str, [u16; 5]);

const SEEN: [u16; 5] = [403, 404, 200, 200, 200];
const OWN: [u16; 5] = [403, 200, 200, 200, 200];
const EDITORS: [u16; 5] = [403, 404, 403, 200, 200];
const EDITORS_MAKE: [u16; 5] = [403, 404, 403, 201, 201];
const ADMINS: [u16; 5] = [403, 404, 403, 403, 200];
const ADMINS_MAKE: [u16; 5] = [403, 404, 403, 403, 201];
const ADMINS_END: [u16; 5] = [403, 404, 403, 403, 204];

const ROWS: &[Row] = &[
    ("GET", "", "", OWN),
    ("GET", "organizations/", "", OWN),
    ("POST", "organizations/", r#"{"name": "New {n}"}"#, [403, 201, 201, 201, 201]),
    ("GET", "organizations/{o}/", "", SEEN),
    ("PATCH", "organizations/{o}/", r#"{"name": "Acme {n}"}"#, ADMINS),
    ("PUT", "organizations/{o}/", r#"{"name": "Acme {n}"}"#, ADMINS),
    ("GET", "organizations/{o}/security/", "", ADMINS),
    ("PATCH", "organizations/{o}/security/", r#"{"step_up": false}"#, ADMINS),
    ("GET", "organizations/{o}/members/", "", SEEN),
    ("GET", "organizations/{o}/address-rules/", "", ADMINS),
    ("PUT", "organizations/{o}/address-rules/", r#"{"mode": "dry_run"}"#, ADMINS),
    ("POST", "organizations/{o}/invite_member/", r#"{"email": "x{n}@example.com"}"#, ADMINS_MAKE),
    ("GET", "organizations/{o}/invitations/", "", ADMINS),
    ("DELETE", "organizations/{o}/invitations/{i}/", "", ADMINS_END),
    (
        "PATCH",
        "organizations/{o}/update_member_role/",
        r#"{"user_id": {u}, "role": "editor"}"#,
        ADMINS,
    ),
    ("DELETE", "organizations/{o}/remove_member/", r#"{"user_id": {u}}"#, ADMINS),
    ("GET", "projects/", "", OWN),
    ("POST", "projects/", r#"{"name": "shop", "organization": {o}}"#, EDITORS_MAKE),
    ("GET", "projects/{p}/", "", SEEN),
    ("PATCH", "projects/{p}/", r#"{"name": "web {n}"}"#, EDITORS),
    ("PUT", "projects/{p}/", r#"{"name": "web {n}"}"#, EDITORS),
    ("DELETE", "projects/{p}/", "", ADMINS_END),
    ("GET", "projects/{p}/environments/", "", SEEN),
    ("GET", "environments/", "", OWN),
    ("POST", "environments/", r#"{"name": "env-{n}", "project": {p}}"#, EDITORS_MAKE),
    ("GET", "environments/{e}/", "", SEEN),
    ("PATCH", "environments/{e}/", r#"{"description": "{n}"}"#, EDITORS),
    ("PUT", "environments/{e}/", r#"{"name": "renamed-{n}"}"#, EDITORS),
    ("DELETE", "environments/{e}/", "", ADMINS_END),
    ("GET", "environments/{e}/variables/", "", SEEN),
    ("GET", "environments/{e}/export/", "", EDITORS),
    ("POST", "environments/{e}/import/", r#"{"data": "K{n}=1"}"#, EDITORS),
    ("GET", "variables/", "", OWN),
    ("POST", "variables/", r#"{"key": "KEY_{n}", "value": "x", "environment": {e}}"#, EDITORS_MAKE),
    ("GET", "variables/{v}/", "", SEEN),
    ("PATCH", "variables/{v}/", r#"{"value": "{n}"}"#, EDITORS),
    ("PUT", "variables/{v}/", r#"{"key": "PUT_{n}", "value": "{n}"}"#, EDITORS),
    ("DELETE", "variables/{v}/", "", [403, 404, 403, 204, 204]),
    ("GET", "audit-logs/", "", OWN),
    ("GET", "organizations/{o}/tokens/", "", ADMINS),
    (
        "POST",
        "organizations/{o}/tokens/",
        r#"{"name": "token {n}", "everywhere": true}"#,
        ADMINS_MAKE,
    ),
    ("DELETE", "organizations/{o}/tokens/{n}/", "", [403, 404, 403, 403, 404]),
    ("GET", "organizations/{o}/trusts/", "", ADMINS),
    (
        "POST",
        "organizations/{o}/trusts/",
        r#"{"name": "ci", "everywhere": true, "issuer": "https://issuer.example", "conditions": [{"claim": "sub", "pattern": "x"}]}"#,
        ADMINS_MAKE,
    ),
    ("DELETE", "organizations/{o}/trusts/{n}/", "", [403, 404, 403, 403, 404]),
    // The last, since nothing is left afterwards.
    ("DELETE", "organizations/{o}/", "", ADMINS_END),
];

/// What the names in a row stand for.
#[derive(Clone, Copy)]
struct Objects {
    number: usize,
    organization: i64,
    project: i64,
    environment: i64,
    variable: i64,
    spare: i64,
}

impl Objects {
    fn fill(&self, text: &str, invitation: &str) -> String {
        text.replace("{n}", &self.number.to_string())
            .replace("{o}", &self.organization.to_string())
            .replace("{p}", &self.project.to_string())
            .replace("{e}", &self.environment.to_string())
            .replace("{v}", &self.variable.to_string())
            .replace("{u}", &self.spare.to_string())
            .replace("{i}", invitation)
    }
}

/// New objects for a cell, so that no cell sees what another one did.
async fn fresh(team: &Team, number: usize, spare: i64) -> Objects {
    let Team { app, admin, organization, .. } = team;
    let wish = json!({"name": format!("project {number}"), "organization": organization});
    let project = app.make(admin, "projects/", wish).await.expect(201).id();
    let environment =
        app.make(admin, "environments/", json!({"name": "dev", "project": project})).await;
    let environment = environment.expect(201).id();
    let wish = json!({"key": "TOKEN", "value": "x", "environment": environment});
    let variable = app.make(admin, "variables/", wish).await.expect(201).id();
    Objects { number, organization: *organization, project, environment, variable, spare }
}

async fn call(
    team: &Team,
    caller: Option<&Person>,
    row: &Row,
    objects: &Objects,
    invitation: &str,
) -> (u16, Value) {
    let (method, path, body, _) = row;
    let path = format!("/api/core/{}", objects.fill(path, invitation));
    let body = serde_json::from_str(&objects.fill(body, invitation)).unwrap_or(Value::Null);
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let answer = team.app.call(caller, method, &path, body).await;
    (answer.status.as_u16(), answer.body)
}

/// A server that is configured to trust an issuer.
async fn trusting(pool: PgPool) -> TestApp {
    let mut app = TestApp::builder(pool);
    app.settings.exchange.issuers = vec!["https://issuer.example".to_owned()];
    app.start().await
}

async fn invitation(team: &Team, number: usize) -> String {
    let path = format!("organizations/{}/invite_member/", team.organization);
    let wish = json!({"email": format!("i{number}@example.com")});
    let sent = team.app.make(&team.admin, &path, wish).await.expect(201);
    sent.body["invitation"]["id"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrations = false)]
async fn every_route_answers_every_role_as_the_matrix_says(pool: PgPool) {
    let team = Team::of(trusting(pool).await).await;
    let spare = team.app.register_active("sam").await;
    team.app.join(&team.admin, team.organization, &spare, "viewer").await;
    let callers =
        [None, Some(&team.outsider), Some(&team.viewer), Some(&team.editor), Some(&team.admin)];
    let mut wrong = Vec::new();
    let mut number = 0;
    for row in ROWS {
        for (caller, wanted) in callers.iter().zip(row.3) {
            number += 1;
            let objects = fresh(&team, number, spare.id).await;
            let invited =
                if row.1.contains("{i}") { invitation(&team, number).await } else { String::new() };
            let (status, body) = call(&team, *caller, row, &objects, &invited).await;
            let who = caller.map_or("nobody", |person| &person.username);
            if status != wanted {
                wrong.push(format!("{} {} by {who}: {status}, not {wanted}: {body}", row.0, row.1));
            }
            let is_told = body["detail"].as_str().is_some_and(|text| !text.is_empty());
            assert!(status < 400 || is_told, "{} {} by {who} gives no reason", row.0, row.1);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[sqlx::test(migrations = false)]
async fn what_is_foreign_answers_like_what_never_was(pool: PgPool) {
    let team = Team::of(trusting(pool).await).await;
    let there = fresh(&team, 1, team.viewer.id).await;
    let invited = invitation(&team, 1).await;
    let nowhere = Objects { organization: 7, project: 7, environment: 7, variable: 7, ..there };
    let nobody = uuid::Uuid::nil().to_string();
    for row in ROWS.iter().filter(|row| row.3[1] == 404) {
        let (status, mut foreign) = call(&team, Some(&team.outsider), row, &there, &invited).await;
        let (absent_status, mut absent) =
            call(&team, Some(&team.outsider), row, &nowhere, &nobody).await;
        for body in [&mut foreign, &mut absent] {
            let body = body.as_object_mut().unwrap();
            body.remove("request_id");
            body.remove("instance");
        }
        assert_eq!((status, foreign), (absent_status, absent), "{} {}", row.0, row.1);
    }
}

#[sqlx::test(migrations = false)]
async fn every_route_of_the_document_has_a_row(pool: PgPool) {
    let app = crate::app::TestApp::start(pool).await;
    let document =
        app.call(None, Method::GET, "/api/openapi.json", Value::Null).await.expect(200).body;
    let mut served = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/core/") else { continue };
        for method in methods.as_object().unwrap().keys() {
            served.insert((method.to_uppercase(), named(path)));
        }
    }
    let rows: BTreeSet<_> = ROWS.iter().map(|row| (row.0.to_owned(), named(row.1))).collect();
    assert_eq!(rows, served);
}

/// A path with all its parameters alike.
fn named(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
