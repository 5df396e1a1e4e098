//! From where members reach a team: the same on the write side, on the read side and on every route.

use keynest_api::middleware::Proxies;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::{Answer, Team};
use crate::app::TestApp;
use crate::person::Person;

const OFFICE: &str = "192.0.2.10";
const AWAY: &str = "198.51.100.7";

/// A team behind a proxy, so that a test can call from anywhere.
async fn team(pool: PgPool) -> Team {
    let mut builder = TestApp::builder(pool);
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    builder.edge.proxies = Proxies { trusted, ..Proxies::default() };
    Team::of(builder.start().await).await
}

async fn from(
    team: &Team,
    address: &str,
    caller: &Person,
    call: (Method, &str),
    body: Value,
) -> Answer {
    let (method, path) = call;
    let request = team.app.as_person(caller, method, &format!("/api/core/{path}"));
    let mut request = request.header("X-Forwarded-For", address);
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    Answer { status, body: answer.json().await.unwrap_or(Value::Null) }
}

async fn set(team: &Team, address: &str, body: Value) -> Answer {
    let path = format!("organizations/{}/address-rules/", team.organization);
    from(team, address, &team.admin, (Method::PUT, &path), body).await
}

async fn refusals(team: &Team, action: &str) -> Vec<Value> {
    team.app.catch_up().await;
    let path = format!("audit-logs/?organization={}&action={action}", team.organization);
    let page = from(team, OFFICE, &team.admin, (Method::GET, &path), Value::Null).await;
    page.expect(200).body["results"].as_array().unwrap().clone()
}

/// Every kind of route that is about the team.
fn routes(team: &Team, variable: i64) -> Vec<(Method, String, Value)> {
    let Team { organization, project, environment, .. } = team;
    let key = json!({"key": "OTHER", "value": "x", "environment": environment});
    let get = |path: String| (Method::GET, path, Value::Null);
    vec![
        get(format!("organizations/{organization}/")),
        get(format!("organizations/{organization}/members/")),
        get(format!("organizations/{organization}/invitations/")),
        get(format!("organizations/{organization}/address-rules/")),
        get(format!("projects/{project}/")),
        get(format!("projects/{project}/environments/")),
        get(format!("environments/{environment}/")),
        get(format!("environments/{environment}/variables/")),
        get(format!("environments/{environment}/export/")),
        get(format!("variables/{variable}/")),
        (Method::POST, "variables/".into(), key),
        (Method::PATCH, format!("variables/{variable}/"), json!({"value": "y"})),
        (Method::POST, format!("environments/{environment}/import/"), json!({"data": "A=1"})),
        (
            Method::POST,
            format!("organizations/{organization}/invite_member/"),
            json!({"email": "new@example.com"}),
        ),
        (
            Method::PUT,
            format!("organizations/{organization}/address-rules/"),
            json!({"mode": "dry_run"}),
        ),
        (Method::DELETE, format!("organizations/{organization}/"), Value::Null),
    ]
}

#[sqlx::test(migrations = false)]
async fn an_address_that_is_not_let_in_is_refused_on_every_route_and_only_there(pool: PgPool) {
    let team = team(pool).await;
    let variable = team.variable("TOKEN", "canary").await;
    let rules = json!({"mode": "enforced", "allow": ["192.0.2.0/24", "2001:db8::/32"], "deny": ["192.0.2.66"]});
    let told = set(&team, OFFICE, rules).await.expect(200).body;
    assert_eq!(told["allow"], json!(["192.0.2.0/24", "2001:db8::/32"]));
    assert_eq!((&told["deny"], &told["your_address"]), (&json!(["192.0.2.66/32"]), &json!(OFFICE)));
    for (method, path, body) in routes(&team, variable) {
        for address in [AWAY, "192.0.2.66", "::ffff:192.0.2.66", "2001:db9::1"] {
            let call = (method.clone(), path.as_str());
            let answer = from(&team, address, &team.admin, call, body.clone()).await;
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            assert_eq!(
                (answer.status.as_u16(), code.as_str()),
                (403, "address_not_allowed"),
                "{method} {path} from {address}: {:#}",
                answer.body
            );
        }
    }
    for path in ["projects/", "environments/", "variables/"] {
        let away = from(&team, AWAY, &team.admin, (Method::GET, path), Value::Null).await;
        assert_eq!(away.expect(200).body["count"], 0, "{path}");
        let office = from(&team, OFFICE, &team.admin, (Method::GET, path), Value::Null).await;
        assert_eq!(office.expect(200).body["count"], 1, "{path}");
    }
    let outsider = format!("projects/{}/", team.project);
    from(&team, AWAY, &team.outsider, (Method::GET, &outsider), Value::Null).await.expect(404);
    let listed = from(&team, AWAY, &team.admin, (Method::GET, "organizations/"), Value::Null).await;
    assert_eq!(listed.expect(200).body["count"], 2, "the list still shows it");
    let other = json!({"name": "Elsewhere"});
    from(&team, AWAY, &team.admin, (Method::POST, "organizations/"), other).await.expect(201);
    for address in ["2001:db8:7::1", "::ffff:192.0.2.9"] {
        let call = (Method::GET, format!("variables/{variable}/"));
        let inside = from(&team, address, &team.editor, (call.0, &call.1), Value::Null).await;
        assert_eq!(inside.expect(200).body["decrypted_value"], "canary", "{address}");
    }
    let rows = refusals(&team, "refused").await;
    assert!(rows.iter().any(|row| row["details"]["code"] == "address_not_allowed"), "{rows:#?}");
    let away = from(&team, AWAY, &team.admin, (Method::GET, "audit-logs/"), Value::Null).await;
    let away = away.expect(200).body;
    let seen = away["results"].as_array().unwrap();
    assert!(seen.iter().all(|row| row["organization"] != team.organization), "{seen:#?}");
}

#[sqlx::test(migrations = false)]
async fn rules_that_would_lock_their_author_out_are_refused_and_the_glass_can_be_broken(
    pool: PgPool,
) {
    let team = team(pool).await;
    for (address, rules) in [
        (OFFICE, json!({"allow": ["198.51.100.0/24"]})),
        (OFFICE, json!({"deny": ["192.0.2.0/24"]})),
        (OFFICE, json!({"deny": ["0.0.0.0/0"]})),
        (OFFICE, json!({"allow": ["::/0"]})),
        (OFFICE, json!({"allow": ["192.0.2.0/24"], "deny": [OFFICE]})),
        (OFFICE, json!({"deny": ["::ffff:192.0.2.0/120"]})),
        ("2001:db8:1::1", json!({"allow": ["2001:db8:2::/48", "0.0.0.0/0"]})),
        ("2001:db8:1::1", json!({"deny": ["2001:db8::/32"]})),
        ("2001:db8:1::1", json!({"allow": ["::/0"], "deny": ["2001:db8:1::1"]})),
        ("::ffff:192.0.2.10", json!({"allow": ["198.51.100.0/24", "::/0"]})),
        ("::ffff:192.0.2.10", json!({"deny": [OFFICE]})),
        ("::ffff:c000:20a", json!({"deny": ["::ffff:192.0.2.10"]})),
    ] {
        let mut wish = rules.clone();
        wish["mode"] = json!("enforced");
        let refused = set(&team, address, wish.clone()).await.expect(400).body;
        let told = refused["details"]["allow"][0].as_str().unwrap();
        assert!(told.contains("lock you out"), "{address} {rules}: {refused:#}");
        wish["mode"] = json!("dry_run");
        set(&team, address, wish).await.expect(200);
        set(&team, address, json!({"mode": "dry_run"})).await.expect(200);
    }
    for (address, rules) in [
        (OFFICE, json!({"allow": ["::ffff:192.0.2.0/120"]})),
        (OFFICE, json!({"deny": ["::/0"]})),
        ("2001:db8:1::1", json!({"allow": ["2001:db8::/32"], "deny": ["0.0.0.0/0"]})),
        ("::ffff:192.0.2.10", json!({"allow": ["192.0.2.10"], "deny": ["192.0.2.11"]})),
    ] {
        let mut wish = rules.clone();
        wish["mode"] = json!("enforced");
        set(&team, address, wish).await.expect(200);
        set(&team, address, json!({"mode": "dry_run"})).await.expect(200);
    }
    let path = format!("organizations/{}/address-rules/", team.organization);
    let rules = from(&team, AWAY, &team.admin, (Method::GET, &path), Value::Null).await;
    assert_eq!(rules.expect(200).body["allow"], json!([]), "nothing has changed");
    set(&team, OFFICE, json!({"mode": "enforced", "allow": [OFFICE]})).await.expect(200);
    let call = format!("organizations/{}/", team.organization);
    from(&team, AWAY, &team.admin, (Method::GET, &call), Value::Null).await.expect(403);
    let origin = keynest_commands::Origin::product(team.app.clock.request_id());
    let id = keynest_domain::OrganizationId::new(team.organization);
    let cleared = team.app.app.commands.clear_address_rules(&origin, id).await.unwrap();
    assert!(cleared.position.is_some());
    team.app.catch_up().await;
    from(&team, AWAY, &team.admin, (Method::GET, &call), Value::Null).await.expect(200);
    let again = team.app.app.commands.clear_address_rules(&origin, id).await.unwrap();
    assert!(again.position.is_none(), "there is nothing to clear");
}

/// Accepting proves a mailbox, and a member is a member wherever they are: it asks for no address and opens nothing.
#[sqlx::test(migrations = false)]
async fn whoever_accepts_from_an_address_that_is_not_let_in_gains_nothing_there(pool: PgPool) {
    let team = team(pool).await;
    let variable = team.variable("TOKEN", "canary").await;
    let eve = &team.outsider;
    let token = team.app.invite(&team.admin, team.organization, &eve.email, "admin").await;
    set(&team, OFFICE, json!({"mode": "enforced", "allow": ["192.0.2.0/24"]})).await.expect(200);
    let accept = team.app.post("/api/auth/invitations/accept/").json(&json!({ "token": token }));
    let told = accept.header("X-Forwarded-For", AWAY).send().await.unwrap();
    assert_eq!(told.status(), 200);
    let told: Value = told.json().await.unwrap();
    assert_eq!((&told["role"], &told["organization_name"]), (&json!("admin"), &json!("Acme")));
    assert!(!told.to_string().contains("canary"));
    team.app.catch_up().await;
    for (method, path, body) in routes(&team, variable) {
        let answer = from(&team, AWAY, eve, (method.clone(), &path), body).await;
        let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        let told = (answer.status.as_u16(), code.as_str());
        assert_eq!(told, (403, "address_not_allowed"), "{method} {path}");
    }
    for path in ["projects/", "environments/", "variables/"] {
        let away = from(&team, AWAY, eve, (Method::GET, path), Value::Null).await;
        assert_eq!(away.expect(200).body["count"], 0, "{path}");
    }
    let call = format!("variables/{variable}/");
    let inside = from(&team, OFFICE, eve, (Method::GET, &call), Value::Null).await;
    assert_eq!(inside.expect(200).body["decrypted_value"], "canary");
}

#[sqlx::test(migrations = false)]
async fn a_dry_run_lets_everybody_in_and_records_whom_it_would_refuse(pool: PgPool) {
    let team = team(pool).await;
    let variable = team.variable("TOKEN", "canary").await;
    set(&team, OFFICE, json!({"mode": "dry_run", "allow": ["203.0.113.0/24", OFFICE]}))
        .await
        .expect(200);
    let call = format!("variables/{variable}/");
    from(&team, AWAY, &team.editor, (Method::GET, &call), Value::Null).await.expect(200);
    let change = json!({"value": "y"});
    from(&team, AWAY, &team.admin, (Method::PATCH, &call), change).await.expect(200);
    from(&team, "203.0.113.9", &team.viewer, (Method::GET, &call), Value::Null).await.expect(200);
    // Nothing is read for this one: the write side alone notes it. In another minute, or it would be counted as a repeat.
    team.app.clock.advance(keynest_domain::Lifetime::from_minutes(2));
    from(&team, AWAY, &team.admin, (Method::DELETE, &call), Value::Null).await.expect(204);
    let rows = refusals(&team, "would_refuse").await;
    let callers: Vec<_> =
        rows.iter().map(|row| row["details"]["route"].as_str().unwrap()).collect();
    assert!(callers.contains(&"GET /api/core/variables/{id}/"), "{rows:#?}");
    assert!(callers.contains(&"PATCH /api/core/variables/{id}/"), "{rows:#?}");
    assert!(callers.contains(&"DELETE /api/core/variables/{id}/"), "{rows:#?}");
    assert!(rows.iter().all(|row| row["user"] != team.viewer.id), "{rows:#?}");
    assert!(refusals(&team, "refused").await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn bad_rules_are_refused_by_field(pool: PgPool) {
    let team = team(pool).await;
    let many: Vec<String> = (0..=100).map(|n| format!("10.0.{n}.0/24")).collect();
    for (rules, field) in [
        (json!({"mode": "strict"}), "mode"),
        (json!({"mode": "dry_run", "allow": ["everybody"]}), "allow"),
        (json!({"mode": "dry_run", "deny": ["10.0.0.0/40"]}), "deny"),
        (json!({"mode": "dry_run", "allow": many}), "allow"),
    ] {
        let refused = set(&team, OFFICE, rules.clone()).await.expect(400).body;
        assert!(refused["details"][field].is_array(), "{rules}: {refused:#}");
    }
}
