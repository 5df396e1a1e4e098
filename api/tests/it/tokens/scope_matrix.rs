//! Every kind of token with every route of the core, from one table (THREATS A16). A route without a row fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::core::team::Team;
use crate::person::Person;

/// The place that a route is about.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// None: lists answer with what the token reaches.
    List,
    Organization,
    Project,
    Environment,
}

/// What a route asks of a token.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    /// The name of the place: seen on the way too.
    See,
    /// What an editor reads, inside.
    Read,
    /// What any member reads, inside.
    Members,
    /// What an editor changes, inside.
    Write,
    /// What only admins do: for no token, but unseen places stay unseen.
    Admin,
    /// A session, whatever the object.
    Session,
}
use Asks::*;
use At::*;

/// Method, path below `/api/core/`, body, place, wish, status if it is granted.
type Row = (&'static str, &'static str, &'static str, At, Asks, u16);

const ROWS: &[Row] = &[
    ("GET", "", "", List, See, 200),
    ("GET", "organizations/", "", List, See, 200),
    ("POST", "organizations/", r#"{"name": "New {n}"}"#, List, Session, 0),
    ("GET", "organizations/{o}/", "", Organization, See, 200),
    ("PATCH", "organizations/{o}/", r#"{"name": "Acme {n}"}"#, Organization, Session, 0),
    ("PUT", "organizations/{o}/", r#"{"name": "Acme {n}"}"#, Organization, Session, 0),
    ("DELETE", "organizations/{o}/", "", Organization, Session, 0),
    ("GET", "organizations/{o}/members/", "", Organization, Members, 200),
    (
        "POST",
        "organizations/{o}/invite_member/",
        r#"{"email": "x@example.com"}"#,
        Organization,
        Session,
        0,
    ),
    ("GET", "organizations/{o}/invitations/", "", Organization, Session, 0),
    ("DELETE", "organizations/{o}/invitations/{i}/", "", Organization, Session, 0),
    (
        "PATCH",
        "organizations/{o}/update_member_role/",
        r#"{"user_id": 1, "role": "editor"}"#,
        Organization,
        Session,
        0,
    ),
    ("DELETE", "organizations/{o}/remove_member/", r#"{"user_id": 1}"#, Organization, Session, 0),
    ("GET", "organizations/{o}/tokens/", "", Organization, Session, 0),
    (
        "POST",
        "organizations/{o}/tokens/",
        r#"{"name": "x", "everywhere": true}"#,
        Organization,
        Session,
        0,
    ),
    ("DELETE", "organizations/{o}/tokens/{n}/", "", Organization, Session, 0),
    ("GET", "organizations/{o}/trusts/", "", Organization, Session, 0),
    ("POST", "organizations/{o}/trusts/", "{}", Organization, Session, 0),
    ("DELETE", "organizations/{o}/trusts/{n}/", "", Organization, Session, 0),
    ("GET", "organizations/{o}/security/", "", Organization, Session, 0),
    ("PATCH", "organizations/{o}/security/", "{}", Organization, Session, 0),
    ("GET", "organizations/{o}/address-rules/", "", Organization, Session, 0),
    ("PUT", "organizations/{o}/address-rules/", r#"{"mode": "dry_run"}"#, Organization, Session, 0),
    ("GET", "projects/", "", List, See, 200),
    ("POST", "projects/", r#"{"name": "shop", "organization": {o}}"#, Organization, Write, 201),
    ("GET", "projects/{p}/", "", Project, See, 200),
    ("PATCH", "projects/{p}/", r#"{"name": "web {n}"}"#, Project, Write, 200),
    ("PUT", "projects/{p}/", r#"{"name": "web {n}"}"#, Project, Write, 200),
    ("DELETE", "projects/{p}/", "", Project, Admin, 0),
    ("GET", "projects/{p}/environments/", "", Project, See, 200),
    ("GET", "environments/", "", List, See, 200),
    ("POST", "environments/", r#"{"name": "env-{n}", "project": {p}}"#, Project, Write, 201),
    ("GET", "environments/{e}/", "", Environment, See, 200),
    ("PATCH", "environments/{e}/", r#"{"description": "{n}"}"#, Environment, Write, 200),
    ("PUT", "environments/{e}/", r#"{"name": "renamed-{n}"}"#, Environment, Write, 200),
    ("DELETE", "environments/{e}/", "", Environment, Admin, 0),
    ("GET", "environments/{e}/variables/", "", Environment, See, 200),
    ("GET", "environments/{e}/export/", "", Environment, Read, 200),
    ("POST", "environments/{e}/import/", r#"{"data": "K{n}=1"}"#, Environment, Write, 200),
    ("GET", "variables/", "", List, See, 200),
    (
        "POST",
        "variables/",
        r#"{"key": "KEY_{n}", "value": "x", "environment": {e}}"#,
        Environment,
        Write,
        201,
    ),
    ("GET", "variables/{v}/", "", Environment, See, 200),
    ("PATCH", "variables/{v}/", r#"{"value": "{n}"}"#, Environment, Write, 200),
    ("PUT", "variables/{v}/", r#"{"key": "PUT_{n}", "value": "{n}"}"#, Environment, Write, 200),
    ("DELETE", "variables/{v}/", "", Environment, Write, 204),
    ("GET", "audit-logs/", "", List, See, 200),
];

/// How a token's scope stands to organization, project and environment: `i`nside, on the `w`ay, `o`utside.
struct Kind {
    name: &'static str,
    bearer: Person,
    stands: &'static str,
    writes: bool,
    is_editor: bool,
}

impl Kind {
    fn verdict(&self, row: &Row) -> (u16, &'static str) {
        let (.., at, asks, granted) = *row;
        if asks == Session {
            return (403, "token_not_allowed");
        }
        let stands = match at {
            List => return (granted, ""),
            Organization => self.stands.as_bytes()[0],
            Project => self.stands.as_bytes()[1],
            Environment => self.stands.as_bytes()[2],
        };
        match (stands, asks) {
            (b'o', _) => (404, "not_found"),
            (_, Admin) => (403, "token_not_allowed"),
            (_, See) => (granted, ""),
            (_, Read | Write) if !self.is_editor => (403, "role_too_weak"),
            (b'w', _) => (403, "token_scope_too_narrow"),
            (_, Write) if !self.writes => (403, "token_scope_too_narrow"),
            _ => (granted, ""),
        }
    }
}

async fn kinds(team: &Team) -> Vec<Kind> {
    let Team { app, admin, editor, organization: o, project: p, environment: e, .. } = team;
    let sibling = app.make(admin, "projects/", json!({"name": "other", "organization": o})).await;
    let beside = sibling.expect(201).id();
    let sibling = app.make(admin, "environments/", json!({"name": "beside", "project": p})).await;
    let next = sibling.expect(201).id();
    let foreign = app.make(admin, "organizations/", json!({"name": "Elsewhere"})).await;
    let foreign = foreign.expect(201).id();
    let mut kinds = Vec::new();
    for (name, owner, reach, access, stands) in [
        ("all, read", admin, json!({"everywhere": true}), "read", "iii"),
        ("all, write", admin, json!({"everywhere": true}), "write", "iii"),
        ("organization, write", editor, json!({"organizations": [o]}), "write", "iii"),
        ("project, write", admin, json!({"projects": [p]}), "write", "wii"),
        ("project, read", editor, json!({"projects": [p]}), "read", "wii"),
        ("environment, write", admin, json!({"environments": [e]}), "write", "wwi"),
        ("environment, read", admin, json!({"environments": [e]}), "read", "wwi"),
        ("project beside, write", admin, json!({"projects": [beside]}), "write", "woo"),
        ("environment beside, write", admin, json!({"environments": [next]}), "write", "wwo"),
        ("elsewhere, write", admin, json!({"organizations": [foreign]}), "write", "ooo"),
        ("both, write", admin, json!({"environments": [e], "projects": [beside]}), "write", "wwi"),
    ] {
        let mut wish = reach;
        wish["access"] = json!(access);
        let (bearer, _) = app.token(owner, wish).await;
        kinds.push(Kind { name, bearer, stands, writes: access == "write", is_editor: true });
    }
    for (name, reach, access, role, stands) in [
        ("service viewer, write", json!({"everywhere": true}), "write", "viewer", "iii"),
        ("service editor, read", json!({"everywhere": true}), "read", "editor", "iii"),
        ("service editor, environment", json!({"environments": [e]}), "write", "editor", "wwi"),
        ("service editor, beside", json!({"projects": [beside]}), "write", "editor", "woo"),
    ] {
        let mut wish = reach;
        (wish["access"], wish["role"]) = (json!(access), json!(role));
        let (bearer, _) = team.service(wish).await;
        let (writes, is_editor) = (access == "write", role == "editor");
        kinds.push(Kind { name, bearer, stands, writes, is_editor });
    }
    kinds
}

#[sqlx::test(migrations = false)]
async fn every_token_gets_what_the_table_says_on_every_route(pool: PgPool) {
    let team = Team::start(pool).await;
    let kinds = kinds(&team).await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for row in ROWS {
        for kind in &kinds {
            number += 1;
            let variable = match row.1.contains("{v}") {
                true => team.variable(&format!("V{number}"), "x").await,
                false => 0,
            };
            let fill = |text: &str| {
                text.replace("{n}", &number.to_string())
                    .replace("{o}", &team.organization.to_string())
                    .replace("{p}", &team.project.to_string())
                    .replace("{e}", &team.environment.to_string())
                    .replace("{v}", &variable.to_string())
                    .replace("{i}", &uuid::Uuid::nil().to_string())
            };
            let body = serde_json::from_str(&fill(row.2)).unwrap_or(Value::Null);
            let method = Method::from_bytes(row.0.as_bytes()).unwrap();
            let path = format!("/api/core/{}", fill(row.1));
            let answer = team.app.call(Some(&kind.bearer), method, &path, body).await;
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            let got = (answer.status.as_u16(), code.as_str());
            let wanted = kind.verdict(row);
            if got != wanted {
                wrong
                    .push(format!("{} {} by {}: {got:?}, not {wanted:?}", row.0, row.1, kind.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[sqlx::test(migrations = false)]
async fn lists_show_what_the_token_reaches_and_nothing_beside(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("HERE", "1").await;
    for kind in kinds(&team).await {
        let mut found = Vec::new();
        for (list, id) in [
            ("organizations/", team.organization),
            ("projects/", team.project),
            ("environments/", team.environment),
        ] {
            let page = team.app.read(&kind.bearer, list).await.expect(200).body;
            let rows = page["results"].as_array().unwrap();
            found.push(if rows.iter().any(|row| row["id"] == id) { 's' } else { 'o' });
            if kind.name.contains("environment") && list != "organizations/" {
                assert_eq!(rows.len(), 1, "{} {list} {page}", kind.name);
            }
        }
        let wanted: Vec<char> =
            kind.stands.chars().map(|it| if it == 'o' { 'o' } else { 's' }).collect();
        assert_eq!(found, wanted, "{}", kind.name);
        let page = team.app.read(&kind.bearer, "variables/").await.expect(200).body;
        let shown = kind.stands.ends_with('i');
        assert_eq!(page["count"], u32::from(shown), "{}", kind.name);
        if shown {
            let path = format!("environments/{}/variables/", team.environment);
            let page = team.app.read(&kind.bearer, &path).await.expect(200).body;
            assert_eq!(page["count"], 1, "{}", kind.name);
        }
        let value = &page["results"][0]["decrypted_value"];
        if shown {
            let clear = if kind.is_editor { "1" } else { "[HIDDEN]" };
            assert_eq!(value, clear, "{}", kind.name);
        }
    }
}

#[sqlx::test(migrations = false)]
async fn every_route_of_the_core_has_a_row(pool: PgPool) {
    let app = crate::app::TestApp::start(pool).await;
    let document = app.call(None, Method::GET, "/api/openapi.json", Value::Null).await.body;
    let named = |path: &str| {
        let part = |part: &str| if part.starts_with('{') { "{}" } else { part }.to_owned();
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    let mut served = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/core/") else { continue };
        served
            .extend(methods.as_object().unwrap().keys().map(|it| (it.to_uppercase(), named(path))));
    }
    let rows: BTreeSet<_> = ROWS.iter().map(|row| (row.0.to_owned(), named(row.1))).collect();
    assert_eq!(rows, served);
}
