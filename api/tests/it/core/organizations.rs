//! Teams: names, descriptions, ends.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;
use crate::app::TestApp;

#[sqlx::test(migrations = false)]
async fn a_team_is_made_described_renamed_and_ended(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let wish = json!({"name": "  Acme  ", "description": "We make\neverything."});
    let made = app.make(&ann, "organizations/", wish).await.expect(201);
    let path = format!("organizations/{}/", made.id());
    for (field, value) in [
        ("name", json!("Acme")),
        ("description", json!("We make\neverything.")),
        ("member_count", json!(1)),
        ("project_count", json!(0)),
        ("user_role", json!("admin")),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    let renamed = app.change(&ann, &path, json!({"name": "Apex"})).await.expect(200).body;
    assert_eq!(
        (&renamed["name"], &renamed["description"]),
        (&json!("Apex"), &made.body["description"])
    );
    let cleared = app.change(&ann, &path, json!({"description": null})).await.expect(200).body;
    assert_eq!((&cleared["name"], &cleared["description"]), (&json!("Apex"), &Value::Null));
    let put =
        app.call(Some(&ann), Method::PUT, &path, json!({"name": "Acme", "description": "x"})).await;
    assert_eq!(put.expect(200).body["description"], "x");
    let put = app.call(Some(&ann), Method::PUT, &path, json!({"name": "Acme"})).await;
    assert_eq!(put.expect(200).body["description"], Value::Null, "PUT replaces the whole");
    let ended = app.remove(&ann, &path, Value::Null).await.expect(204);
    assert_eq!(ended.body, json!(""));
    app.read(&ann, &path).await.expect(404);
}

#[sqlx::test(migrations = false)]
async fn r01_ids_are_json_integers_below_two_to_the_53(pool: PgPool) {
    let team = Team::start(pool).await;
    for id in [team.organization, team.project, team.environment] {
        assert!((1..1 << 53).contains(&id), "{id}");
    }
}

#[sqlx::test(migrations = false)]
async fn names_are_unique_per_creator_ignoring_case_and_free_again_afterwards(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let first = app.make(&ann, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    let again = app.make(&ann, "organizations/", json!({"name": "aCME"})).await.expect(400);
    assert!(again.body["name"][0].as_str().unwrap().contains("already"), "{}", again.body);
    app.make(&bob, "organizations/", json!({"name": "Acme"})).await.expect(201);
    let path = format!("organizations/{first}/");
    app.change(&ann, &path, json!({"name": "ACME"})).await.expect(200);
    app.change(&ann, &path, json!({"name": "Apex"})).await.expect(200);
    let second = app.make(&ann, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
    app.change(&ann, &path, json!({"name": "acme"})).await.expect(400);
    app.remove(&ann, &format!("organizations/{second}/"), Value::Null).await.expect(204);
    app.change(&ann, &path, json!({"name": "acme"})).await.expect(200);
}

#[sqlx::test(migrations = false)]
async fn bad_names_are_refused_with_the_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for body in [
        json!({}),
        json!({"name": null}),
        json!({"name": ""}),
        json!({"name": " a "}),
        json!({"name": ["Acme"]}),
        json!({"name": "x".repeat(256)}),
        json!({"name": "Acme\r\nBcc: eve@example.com"}),
        json!({"name": "Acme", "description": "a\u{0}b"}),
    ] {
        let refused = app.make(&ann, "organizations/", body.clone()).await.expect(400);
        let field = if body["description"].is_string() { "description" } else { "name" };
        assert!(refused.body["details"][field][0].is_string(), "{body}: {}", refused.body);
    }
}

#[sqlx::test(migrations = false)]
async fn derived_fields_cannot_be_sent(pool: PgPool) {
    let team = Team::start(pool).await;
    let wish = json!({"name": "Mine", "id": 7, "user_role": "viewer", "member_count": 99, "created_at": "2000-01-01", "creator": team.outsider.id});
    let made = team.app.make(&team.admin, "organizations/", wish).await.expect(201);
    assert_ne!(made.id(), 7);
    assert_eq!((&made.body["user_role"], &made.body["member_count"]), (&json!("admin"), &json!(1)));
}

#[sqlx::test(migrations = false)]
async fn a_deleted_team_takes_everything_with_it(pool: PgPool) {
    let team = Team::start(pool).await;
    let variable = team.variable("TOKEN", "x").await;
    let Team { app, admin, organization, project, environment, .. } = &team;
    app.remove(admin, &format!("organizations/{organization}/"), Value::Null).await.expect(204);
    for path in [
        format!("organizations/{organization}/members/"),
        format!("projects/{project}/"),
        format!("projects/{project}/environments/"),
        format!("environments/{environment}/"),
        format!("environments/{environment}/variables/"),
        format!("environments/{environment}/export/"),
        format!("variables/{variable}/"),
    ] {
        app.read(admin, &path).await.expect(404);
    }
    let wish = json!({"key": "NEW", "value": "x", "environment": environment});
    app.make(admin, "variables/", wish).await.expect(404);
    app.make(admin, "projects/", json!({"name": "new", "organization": organization}))
        .await
        .expect(404);
    app.change(admin, &format!("variables/{variable}/"), json!({"value": "y"})).await.expect(404);
    assert!(!app.read(admin, "variables/").await.body.to_string().contains("TOKEN"));
}
