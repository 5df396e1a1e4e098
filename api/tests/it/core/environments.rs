//! Environments as their users meet them.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;

#[sqlx::test(migrations = false)]
async fn an_environment_is_made_changed_and_ended(pool: PgPool) {
    let team = Team::start(pool).await;
    let wish = json!({"name": "QA-1", "project": team.project, "environment_type": "testing"});
    let made = team.app.make(&team.editor, "environments/", wish).await.expect(201);
    for (field, value) in [
        ("name", json!("qa-1")),
        ("project", json!(team.project)),
        ("project_name", json!("web")),
        ("environment_type", json!("testing")),
        ("description", Value::Null),
        ("created_by_name", json!("edi")),
        ("variable_count", json!(0)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    let path = format!("environments/{}/", made.id());
    let wish = json!({"name": "qa-2", "environment_type": "staging", "description": "d"});
    let changed = team.app.change(&team.editor, &path, wish).await.expect(200).body;
    assert_eq!(
        (&changed["name"], &changed["environment_type"]),
        (&json!("qa-2"), &json!("staging"))
    );
    let put = team
        .app
        .call(Some(&team.editor), Method::PUT, &path, json!({"name": "qa-2"}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&put["environment_type"], &put["description"]),
        (&json!("development"), &Value::Null)
    );
    team.app.remove(&team.admin, &path, Value::Null).await.expect(204);
    team.app.read(&team.admin, &path).await.expect(404);
}

#[sqlx::test(migrations = false)]
async fn r14_the_type_is_one_of_four(pool: PgPool) {
    let team = Team::start(pool).await;
    for kind in ["prod", "Production", "", "null"] {
        let wish = json!({"name": "x1", "project": team.project, "environment_type": kind});
        let refused = team.app.make(&team.admin, "environments/", wish).await.expect(400);
        assert!(refused.body["environment_type"][0].is_string(), "{kind}");
    }
    let made = team
        .app
        .make(&team.admin, "environments/", json!({"name": "x1", "project": team.project}))
        .await;
    assert_eq!(made.expect(201).body["environment_type"], "development");
}

#[sqlx::test(migrations = false)]
async fn names_are_unique_in_a_project_and_free_again_afterwards(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, project, environment, .. } = &team;
    let wish = json!({"name": "DEV", "project": project});
    let taken = app.make(admin, "environments/", wish.clone()).await.expect(400);
    assert!(taken.body["non_field_errors"][0].is_string());
    app.change(admin, &format!("environments/{environment}/"), json!({"name": "old"}))
        .await
        .expect(200);
    let second = app.make(admin, "environments/", wish.clone()).await.expect(201).id();
    app.change(admin, &format!("environments/{environment}/"), json!({"name": "dev"}))
        .await
        .expect(400);
    app.remove(admin, &format!("environments/{second}/"), Value::Null).await.expect(204);
    app.make(admin, "environments/", wish).await.expect(201);
}

#[sqlx::test(migrations = false)]
async fn d04_no_environment_is_moved_into_another_project(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, outsider, .. } = &team;
    let theirs =
        app.make(outsider, "organizations/", json!({"name": "Theirs"})).await.expect(201).id();
    let wish = json!({"name": "theirs", "organization": theirs});
    let project = app.make(outsider, "projects/", wish).await.expect(201).id();
    let mine = app
        .make(outsider, "environments/", json!({"name": "plant", "project": project}))
        .await
        .expect(201)
        .id();
    // An outsider plants nothing in a stranger's project, by any way in.
    let path = format!("environments/{mine}/");
    for method in [Method::PATCH, Method::PUT] {
        let wish = json!({"name": "plant", "project": team.project});
        let refused = app.call(Some(outsider), method, &path, wish).await.expect(400);
        assert_eq!(refused.body["code"], "parent_is_fixed");
    }
    app.make(outsider, "environments/", json!({"name": "plant", "project": team.project}))
        .await
        .expect(404);
    let list =
        app.read(admin, &format!("projects/{}/environments/", team.project)).await.expect(200).body;
    assert_eq!(list["count"], 1);
    assert_eq!(app.read(outsider, &path).await.expect(200).body["project"], project);
}
