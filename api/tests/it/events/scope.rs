//! Whose events somebody reads: those of organizations whose audit log is theirs; and what is opened of what is sealed.

use keynest_api::middleware::Proxies;
use reqwest::Method;
use serde_json::{Value, json};

use super::*;

fn of(events: &[Value], organization: i64) -> usize {
    let organization = organization.to_string();
    events.iter().filter(|it| it["organization"] == *organization).count()
}

impl TestApp {
    async fn refused(&self, caller: &Person, query: &str) -> (u16, String) {
        let told = self.read(caller, &format!("/api/events/?{query}")).await;
        (told.status.as_u16(), told.body["code"].as_str().unwrap_or_default().to_owned())
    }
}

#[sqlx::test(migrations = false)]
async fn auditors_read_their_organizations_and_nobody_reads_more(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, viewer, outsider, organization, .. } = &team;
    let private = app.make(admin, "organizations/", json!({"name": "Private"})).await;
    let private = private.expect(201).id();
    app.grant(outsider).await;
    let (all, _) = app.events(admin, ALL).await;
    let (theirs, _) = app.events(editor, ALL).await;
    assert!(of(&all, *organization) > 5 && of(&all, private) > 1);
    assert_eq!(of(&theirs, *organization), of(&all, *organization));
    assert_eq!(of(&theirs, private), 0, "a colleague's other team");
    // A viewer has a personal organization as everybody has, and an administrator of the instance has no more.
    for stranger in [viewer, outsider] {
        let (events, _) = app.events(stranger, ALL).await;
        assert_eq!((of(&events, *organization), of(&events, private)), (0, 0));
        assert!(ids(&events).iter().all(|id| !ids(&all).contains(id)));
    }
    for (caller, id, status, code) in [
        (editor, private, 404, "not_found"),
        (outsider, *organization, 404, "not_found"),
        (viewer, *organization, 403, "role_too_weak"),
        (admin, 1, 404, "not_found"),
    ] {
        let told = app.refused(caller, &format!("organization={id}")).await;
        assert_eq!(told, (status, code.to_owned()), "{id}");
    }
    let (filtered, _) = app.events(admin, &format!("{ALL}&organization={private}")).await;
    assert_eq!(filtered.len(), of(&all, private));
    assert_eq!(app.get("/api/events/").send().await.unwrap().status(), 403);
}

#[sqlx::test(migrations = false)]
async fn names_are_opened_and_no_secret_is_told(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, organization, project, environment, .. } = &team;
    let variable = team.variable("TOKEN", "canary-value").await;
    let wish = json!({"value": "canary-next", "description": "canary-text"});
    app.change(admin, &format!("variables/{variable}/"), wish).await.expect(200);
    for (path, wish) in [
        (format!("organizations/{organization}/"), json!({"description": "canary-organization"})),
        (format!("projects/{project}/"), json!({"name": "canary-project"})),
        (format!("environments/{environment}/"), json!({"description": "canary-environment"})),
    ] {
        app.change(admin, &path, wish).await.expect(200);
    }
    app.invite(admin, *organization, "canary@example.com", "viewer").await;
    app.read(admin, &format!("variables/{variable}/")).await.expect(200);
    let (service, _) = team.service(json!({"name": "canary-robot", "everywhere": true})).await;
    app.catch_up().await;
    let (all, _) = app.events(admin, ALL).await;
    let text = json!(all).to_string();
    for secret in ["canary-value", "canary-next", "canary-text", "127.0.0.1", &service.access] {
        assert!(!text.contains(secret), "{secret}");
    }
    let last = |name: &str| {
        let team = organization.to_string();
        let of_team = |it: &&Value| it["organization"] == *team;
        all.iter().filter(of_team).rfind(|it| it["type"] == name).unwrap()
    };
    for (name, field, opened) in [
        ("organization.created", "name", "Acme"),
        ("organization.updated", "description", "canary-organization"),
        ("project.updated", "name", "canary-project"),
        ("environment.updated", "description", "canary-environment"),
        ("organization.invitation_sent", "address", "canary@example.com"),
        ("organization.service_token_created", "name", "canary-robot"),
    ] {
        assert_eq!(last(name)["data"][field], opened, "{name}");
    }
    let created = last("environment.variable_created");
    assert_eq!(
        (&created["data"]["key"], &created["data"]["value"]),
        (&json!("TOKEN"), &Value::Null)
    );
    assert_eq!(created["subject"], format!("environment-{environment}"));
    assert_eq!(created["actor"], admin.id.to_string());
    assert_eq!(created["specversion"], "1.0");
    assert_eq!(last("organization.invitation_sent")["data"]["nonce"], Value::Null);
    last("access.variables_read");
    let lengths: Vec<usize> = all.iter().map(|it| position(it).len()).collect();
    assert!(lengths.iter().all(|it| *it == lengths[0] && *it > 60), "opaque: {lengths:?}");
}

#[sqlx::test(migrations = false)]
async fn a_token_reads_organizations_that_are_wholly_in_its_reach(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, organization, environment, .. } = &team;
    let place = json!({"access": "read", "organizations": [organization]});
    let (one, _) = app.token(admin, place).await;
    let place = json!({"access": "read", "environments": [environment]});
    let (part, _) = app.token(admin, place).await;
    let role = |role: &str| json!({"access": "read", "role": role, "everywhere": true});
    let (service, _) = team.service(role("editor")).await;
    let (weak, _) = team.service(role("viewer")).await;
    app.catch_up().await;
    for bearer in [&one, &service] {
        let (events, _) = app.events(bearer, ALL).await;
        assert!(events.len() > 5);
        assert_eq!(of(&events, *organization), events.len());
    }
    assert!(app.events(&part, ALL).await.0.is_empty());
    assert!(app.events(&weak, ALL).await.0.is_empty());
    let query = format!("organization={organization}");
    assert_eq!(app.refused(&part, &query).await, (403, "token_scope_too_narrow".into()));
    assert_eq!(app.refused(&weak, &query).await, (403, "role_too_weak".into()));
}

#[sqlx::test(migrations = false)]
async fn an_address_that_is_not_let_in_reads_nothing(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    builder.edge.proxies = Proxies { trusted, ..Proxies::default() };
    let team = Team::of(builder.start().await).await;
    let Team { app, admin, organization, .. } = &team;
    let ask = async |address: &str, method: Method, path: &str, body: Value| {
        let request = app.as_person(admin, method, path).header("X-Forwarded-For", address);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (office, away) = ("192.0.2.10", "198.51.100.7");
    let rules = json!({"mode": "enforced", "allow": ["192.0.2.0/24"], "deny": []});
    let path = format!("/api/core/organizations/{organization}/address-rules/");
    assert_eq!(ask(office, Method::PUT, &path, rules).await.0, 200);
    app.catch_up().await;
    let member = format!(r#""organization":"{organization}""#);
    for (address, is_let_in) in [(office, true), (away, false)] {
        let (_, text) = ask(address, Method::GET, "/api/events/", Value::Null).await;
        assert_eq!(text.contains(&member), is_let_in, "{address}");
        let path = format!("/api/events/?organization={organization}");
        let (status, text) = ask(address, Method::GET, &path, Value::Null).await;
        assert_eq!(status, if is_let_in { 200 } else { 403 });
        assert_eq!(text.contains("address_not_allowed"), !is_let_in, "{text}");
    }
}
