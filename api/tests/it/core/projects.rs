//! Projects as their users meet them.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;

#[sqlx::test(migrations = false)]
async fn d02_a_project_is_made_renamed_and_ended_in_a_team_of_several(pool: PgPool) {
    let team = Team::start(pool).await;
    let wish = json!({"name": "shop 2.0_a-b", "organization": team.organization.to_string(), "description": ""});
    let made = team.app.make(&team.editor, "projects/", wish).await.expect(201);
    for (field, value) in [
        ("name", json!("shop 2.0_a-b")),
        ("description", json!("")),
        ("organization", json!(team.organization)),
        ("organization_name", json!("Acme")),
        ("created_by_name", json!("edi")),
        ("environment_count", json!(0)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    let path = format!("projects/{}/", made.id());
    let renamed =
        team.app.change(&team.editor, &path, json!({"name": "store"})).await.expect(200).body;
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("store"), &json!("")));
    assert!(renamed["updated_at"].as_str() > renamed["created_at"].as_str());
    let put = team
        .app
        .call(Some(&team.editor), Method::PUT, &path, json!({"name": "shop"}))
        .await
        .expect(200);
    assert_eq!(put.body["description"], Value::Null);
    team.app.remove(&team.admin, &path, Value::Null).await.expect(204);
    team.app.read(&team.admin, &path).await.expect(404);
    team.app.change(&team.admin, &path, json!({"name": "again"})).await.expect(404);
}

#[sqlx::test(migrations = false)]
async fn a_project_never_leaves_its_organization(pool: PgPool) {
    let team = Team::start(pool).await;
    let other = team
        .app
        .make(&team.admin, "organizations/", json!({"name": "Other"}))
        .await
        .expect(201)
        .id();
    let path = format!("projects/{}/", team.project);
    for wanted in [other, 7] {
        let wish = json!({"name": "moved", "organization": wanted});
        let refused = team.app.change(&team.admin, &path, wish).await.expect(400);
        assert_eq!(refused.body["code"], "parent_is_fixed");
    }
    let same = json!({"organization": team.organization, "description": "x"});
    let kept = team.app.change(&team.admin, &path, same).await.expect(200).body;
    assert_eq!((&kept["name"], &kept["organization"]), (&json!("web"), &json!(team.organization)));
}

#[sqlx::test(migrations = false)]
async fn bad_projects_are_refused_field_by_field(pool: PgPool) {
    let team = Team::start(pool).await;
    for (body, field) in [
        (json!({"organization": team.organization}), "name"),
        (json!({"name": "web"}), "organization"),
        (json!({"name": "web", "organization": "x"}), "organization"),
        (json!({"name": "a/b", "organization": team.organization}), "name"),
        (json!({"name": "w", "organization": team.organization}), "name"),
        (
            json!({"name": "web", "organization": team.organization, "description": ["x"]}),
            "description",
        ),
    ] {
        let refused = team.app.make(&team.admin, "projects/", body.clone()).await.expect(400);
        assert!(refused.body[field][0].is_string(), "{body}: {}", refused.body);
    }
}

#[sqlx::test(migrations = false)]
async fn r21_the_creator_is_the_full_name_or_the_username(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("projects/{}/", team.project);
    assert_eq!(team.app.read(&team.viewer, &path).await.expect(200).body["created_by_name"], "ann");
    let names = json!({"first_name": "Ann", "last_name": "Lee"});
    team.app.change(&team.admin, "/api/auth/profile/", names).await.expect(200);
    team.app.catch_up().await;
    assert_eq!(
        team.app.read(&team.viewer, &path).await.expect(200).body["created_by_name"],
        "Ann Lee"
    );
}
