//! Who did what: for the organization's own people, and for nobody else.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;
use crate::person::Person;

async fn log(team: &Team, caller: &Person, query: &str) -> Vec<Value> {
    team.app.catch_up().await;
    let page = team.app.read(caller, &format!("audit-logs/?{query}")).await.expect(200).body;
    page["results"].as_array().unwrap().clone()
}

fn told(rows: &[Value]) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "action"), text(row, "target_type"))).collect()
}

#[sqlx::test(migrations = false)]
async fn d32_what_was_missing_is_on_record(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, organization, project, environment, .. } = &team;
    let variable = team.variable("TOKEN", "canary").await;
    app.change(editor, &format!("variables/{variable}/"), json!({"value": "canary"}))
        .await
        .expect(200);
    team.shown(editor).await;
    app.remove(editor, &format!("variables/{variable}/"), Value::Null).await.expect(204);
    app.change(admin, &format!("environments/{environment}/"), json!({"name": "d2"}))
        .await
        .expect(200);
    app.remove(admin, &format!("environments/{environment}/"), Value::Null).await.expect(204);
    app.change(admin, &format!("projects/{project}/"), json!({"name": "w2"})).await.expect(200);
    app.remove(admin, &format!("projects/{project}/"), Value::Null).await.expect(204);
    app.change(admin, &format!("organizations/{organization}/"), json!({"name": "A2"}))
        .await
        .expect(200);
    app.read(editor, &format!("organizations/{organization}/members/")).await.expect(200);
    let rows = log(&team, admin, &format!("organization={organization}")).await;
    let told = told(&rows);
    let wanted = [
        ("update", "organization"),
        ("delete", "project"),
        ("update", "project"),
        ("delete", "environment"),
        ("update", "environment"),
        ("delete", "variable"),
        ("read", "variable"),
        ("update", "variable"),
        ("create", "variable"),
        ("create", "environment"),
        ("create", "project"),
        ("create", "invitation"),
        ("create", "organization"),
    ];
    for (action, target) in wanted {
        let found = told.iter().any(|row| (row.0.as_str(), row.1.as_str()) == (action, target));
        assert!(found, "{action} {target} is missing in {told:?}");
    }
    assert!(
        !told.iter().any(|row| row.1 == "membership" && row.0 == "view"),
        "looking at members writes nothing"
    );
    let times: Vec<_> = rows.iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
    assert!(times.iter().rev().is_sorted(), "newest first");
    assert!(!json!(rows).to_string().contains("canary"), "never a value");
}

#[sqlx::test(migrations = false)]
async fn d03_d17_nobody_sees_what_happened_elsewhere(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, outsider, .. } = &team;
    let private =
        app.make(admin, "organizations/", json!({"name": "Private"})).await.expect(201).id();
    app.make(admin, "projects/", json!({"name": "hush", "organization": private}))
        .await
        .expect(201);
    let seen = log(&team, editor, "").await;
    assert!(seen.iter().all(|row| row["organization"] != private), "a colleague's other team");
    assert!(log(&team, editor, &format!("organization={private}")).await.is_empty());
    let strange = log(&team, outsider, "").await;
    assert!(strange.iter().all(|row| row["organization"] != team.organization));
    assert!(!json!(strange).to_string().contains("Acme"));
    let ids = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(&seen).len(), seen.len(), "no row twice");
    let theirs = log(&team, admin, &format!("organization={}", team.organization)).await;
    assert!(theirs.len() > 5);
    // Viewers see what they did themselves, not what others do with values.
    let own = log(&team, &team.viewer, &format!("organization={}", team.organization)).await;
    assert!(
        own.iter().all(|row| row["user"].is_null() || row["user"] == team.viewer.id),
        "{own:?}"
    );
}

#[sqlx::test(migrations = false)]
async fn refusals_are_filed_with_the_organization_once_a_minute(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, viewer, outsider, organization, project, .. } = &team;
    for _ in 0..5 {
        app.change(viewer, &format!("projects/{project}/"), json!({"name": "mine"}))
            .await
            .expect(403);
    }
    app.change(outsider, &format!("projects/{project}/"), json!({"name": "mine"}))
        .await
        .expect(404);
    let rows = log(&team, admin, &format!("organization={organization}")).await;
    let refused: Vec<_> = rows.iter().filter(|row| row["outcome"] == "refused").collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    let by_viewer = refused.iter().find(|row| row["user"] == viewer.id).expect("the viewer's");
    assert!(by_viewer["details"].to_string().contains("role_too_weak"), "{by_viewer}");
    assert!(refused.iter().any(|row| row["user"] == outsider.id));
    // After the minute the other four are written as one count.
    app.clock.advance(keynest_domain::Lifetime::from_minutes(2));
    app.app.commands.flush_refusals().await.unwrap();
    let rows = log(&team, admin, &format!("organization={organization}")).await;
    let counted: Vec<_> = rows
        .iter()
        .filter(|row| row["outcome"] == "refused")
        .map(|row| &row["details"]["count"])
        .collect();
    assert!(counted.contains(&&json!(4)), "{counted:?}");
}

#[sqlx::test(migrations = false)]
async fn d16_the_address_is_the_sockets_not_what_a_header_says(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = "/api/core/organizations/";
    let request = team
        .app
        .as_person(&team.admin, reqwest::Method::POST, path)
        .json(&json!({"name": "Forged"}));
    for forged in ["203.0.113.9", "not an address, 'x'"] {
        let request =
            request.try_clone().unwrap().header("X-Forwarded-For", forged).send().await.unwrap();
        assert!([201, 400].contains(&request.status().as_u16()));
    }
    let rows = log(&team, &team.admin, "action=create&target_type=organization").await;
    assert!(rows.iter().any(|row| row["ip_address"] == "127.0.0.1"), "{rows:?}");
    assert!(!json!(rows).to_string().contains("203.0.113.9"));
}

#[sqlx::test(migrations = false)]
async fn the_log_is_filtered(pool: PgPool) {
    let team = Team::start(pool).await;
    let variable = team.variable("TOKEN", "x").await;
    let Team { admin, editor, organization, .. } = &team;
    team.app
        .change(editor, &format!("variables/{variable}/"), json!({"value": "y"}))
        .await
        .expect(200);
    let by_editor =
        log(&team, admin, &format!("user={}&organization={organization}", editor.id)).await;
    assert!(!by_editor.is_empty() && by_editor.iter().all(|row| row["user"] == editor.id));
    let row = log(
        &team,
        admin,
        &format!("action=create,update&target_type=variable&target_id={variable}"),
    )
    .await;
    assert_eq!(
        told(&row),
        [("update".into(), "variable".into()), ("create".into(), "variable".into())]
    );
    assert!(log(&team, admin, "date_to=2001-01-01").await.is_empty());
    assert!(!log(&team, admin, "date_from=2001-01-01").await.is_empty());
    for query in ["date_from=yesterday", "organization=x", "user=1.5"] {
        team.app.read(admin, &format!("audit-logs/?{query}")).await.expect(400);
    }
}
