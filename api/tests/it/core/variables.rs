//! Variables as their users meet them.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;

#[sqlx::test(migrations = false)]
async fn a_variable_is_made_changed_renamed_and_deleted(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, environment, .. } = &team;
    let wish = json!({"key": "TOKEN", "value": "one", "environment": environment});
    let made = app.make(editor, "variables/", wish).await.expect(201);
    for (field, value) in [
        ("key", json!("TOKEN")),
        ("decrypted_value", json!("one")),
        ("environment", json!(environment)),
        ("environment_name", json!("dev")),
        ("created_by_name", json!("edi")),
        ("version", json!(1)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert!(made.body.get("value").is_none(), "write-only");
    let path = format!("variables/{}/", made.id());
    let changed =
        app.change(editor, &path, json!({"key": "SECRET", "value": "two"})).await.expect(200).body;
    assert_eq!((&changed["key"], &changed["decrypted_value"]), (&json!("SECRET"), &json!("two")));
    let renamed = app.change(editor, &path, json!({"key": "TOKEN"})).await.expect(200).body;
    assert_eq!((&renamed["key"], &renamed["decrypted_value"]), (&json!("TOKEN"), &json!("two")));
    let put =
        app.call(Some(editor), Method::PUT, &path, json!({"key": "TOKEN", "value": "three"})).await;
    assert_eq!(put.expect(200).body["decrypted_value"], "three");
    app.remove(editor, &path, Value::Null).await.expect(204);
    app.read(admin, &path).await.expect(404);
    app.remove(editor, &path, Value::Null).await.expect(404);
    let again = json!({"key": "TOKEN", "value": "", "environment": environment});
    assert_ne!(app.make(editor, "variables/", again).await.expect(201).id(), made.id());
}

#[sqlx::test(migrations = false)]
async fn a_page_shows_of_each_variable_what_it_shows_alone(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, environment, .. } = &team;
    for (key, creator) in [("ALPHA", admin), ("BETA", editor), ("GAMMA", admin)] {
        let wish = json!({"key": key, "value": key, "environment": environment});
        let id = app.make(creator, "variables/", wish).await.expect(201).id();
        app.change(admin, &format!("variables/{id}/"), json!({"value": "new"})).await.expect(200);
    }
    let mut keys = Vec::new();
    for page in [1, 2] {
        let path = format!("environments/{environment}/variables/?page={page}&page_size=2");
        let page = app.read(editor, &path).await.expect(200).body;
        assert_eq!(page["count"], 3);
        for row in page["results"].as_array().unwrap() {
            let alone = app.read(editor, &format!("variables/{}/", row["id"])).await.expect(200);
            assert_eq!(*row, alone.body);
            keys.push(row["key"].clone());
        }
    }
    assert_eq!(keys, ["ALPHA", "BETA", "GAMMA"]);
}

#[sqlx::test(migrations = false)]
async fn variables_of_several_environments_are_changed_where_they_are(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, editor, .. } = &team;
    let mut ids = Vec::new();
    for name in ["staging", "production"] {
        let wish = json!({"name": name, "project": team.project});
        let environment = app.make(editor, "environments/", wish).await.expect(201).id();
        let wish = json!({"key": "TOKEN", "value": name, "environment": environment});
        let made = app.make(editor, "variables/", wish).await.expect(201);
        ids.push((environment, made.id()));
    }
    for turn in 1..=3 {
        for (environment, id) in &ids {
            let (path, value) = (format!("variables/{id}/"), format!("{environment}-{turn}"));
            let changed = app.change(editor, &path, json!({"value": value})).await.expect(200).body;
            assert_eq!(changed["environment"], *environment);
            let shown = app.read(editor, &path).await.expect(200).body;
            assert_eq!(
                (&shown["decrypted_value"], &shown["version"]),
                (&json!(value), &json!(turn + 1))
            );
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_change_of_what_cannot_be_seen_yet_is_made_and_not_denied(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, editor, environment, .. } = &team;
    // Nobody writes the read model meanwhile.
    let mut standing_still = app.store_pool.begin().await.unwrap();
    let lock = "lock table read.variables in share row exclusive mode";
    sqlx::query(lock).execute(&mut *standing_still).await.unwrap();
    let wish = json!({"key": "TOKEN", "value": "one", "environment": environment});
    let id = app.make(editor, "variables/", wish).await.expect(201).id();
    let path = format!("variables/{id}/");
    let changed = app.change(editor, &path, json!({"value": "two"})).await.expect(200);
    assert_eq!(changed.body, json!({"id": id}));
    standing_still.rollback().await.unwrap();
    app.catch_up().await;
    assert_eq!(app.read(editor, &path).await.expect(200).body["decrypted_value"], "two");
}

#[sqlx::test(migrations = false)]
async fn d31_every_value_is_a_version_and_old_ones_are_kept_sealed(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("variables/{}/", team.variable("TOKEN", "canary-one").await);
    for value in ["canary-two", "canary-two"] {
        team.app.change(&team.editor, &path, json!({"value": value})).await.expect(200);
    }
    team.app
        .change(&team.editor, &path, json!({"key": "OTHER", "value": "[HIDDEN]"}))
        .await
        .expect(200);
    let shown = team.app.read(&team.admin, &path).await.expect(200).body;
    assert_eq!((&shown["version"], &shown["decrypted_value"]), (&json!(3), &json!("canary-two")));
    let stream = format!("environment-{}", team.environment);
    let stored: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "select e.type, e.data from store.events e join store.streams s on s.id = e.stream_id where s.name = $1 order by e.position",
    )
    .bind(&stream)
    .fetch_all(&team.app.store_pool)
    .await
    .unwrap();
    let values =
        stored.iter().filter(|(name, _)| name.ends_with("created") || name.ends_with("changed"));
    assert_eq!(values.count(), 4, "the environment and three values");
    assert!(stored.iter().all(|(_, data)| !String::from_utf8_lossy(data).contains("canary")));
}

#[sqlx::test(migrations = false)]
async fn r16_masks_leave_a_value_as_it_was_and_are_never_stored(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("variables/{}/", team.variable("TOKEN", "secret").await);
    for mask in ["[HIDDEN]", "[NO_ACCESS]"] {
        let changed = team
            .app
            .change(&team.editor, &path, json!({"key": "TOKEN", "value": mask}))
            .await
            .expect(200);
        assert_eq!(
            (&changed.body["decrypted_value"], &changed.body["version"]),
            (&json!("secret"), &json!(1))
        );
        let wish = json!({"key": "NEW", "value": mask, "environment": team.environment});
        let refused = team.app.make(&team.editor, "variables/", wish).await.expect(400);
        assert!(refused.body["value"][0].is_string());
    }
    assert_eq!(team.shown(&team.viewer).await, [("TOKEN".to_owned(), "[HIDDEN]".to_owned())]);
}

#[sqlx::test(migrations = false)]
async fn d24_keys_have_one_rule_everywhere(pool: PgPool) {
    let team = Team::start(pool).await;
    for key in ["token", "_x", "Mixed_1", &"K".repeat(255)] {
        let id = team.variable(key, "x").await;
        let wish = json!({"key": key, "value": "y"});
        team.app.change(&team.editor, &format!("variables/{id}/"), wish).await.expect(200);
    }
    for key in ["", "1A", "A-B", "A B", "Ä", &"K".repeat(256)] {
        let wish = json!({"key": key, "value": "x", "environment": team.environment});
        let refused = team.app.make(&team.editor, "variables/", wish).await.expect(400);
        assert!(refused.body["key"][0].is_string(), "{key}");
    }
    team.variable("TOKEN", "another key than token").await;
}

#[sqlx::test(migrations = false)]
async fn a_taken_key_is_told_as_a_rule_of_the_whole(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("A", "1").await;
    let other = team.variable("B", "2").await;
    let wish = json!({"key": "A", "value": "3", "environment": team.environment});
    let refused = team.app.make(&team.editor, "variables/", wish).await.expect(400);
    assert!(refused.body["non_field_errors"][0].as_str().unwrap().contains("already"));
    team.app
        .change(&team.editor, &format!("variables/{other}/"), json!({"key": "A"}))
        .await
        .expect(400);
}

#[sqlx::test(migrations = false)]
async fn d04_no_write_into_another_organization(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, outsider, .. } = &team;
    let theirs =
        app.make(outsider, "organizations/", json!({"name": "Theirs"})).await.expect(201).id();
    let project =
        app.make(outsider, "projects/", json!({"name": "theirs", "organization": theirs})).await;
    let wish = json!({"name": "dev", "project": project.expect(201).id()});
    let environment = app.make(outsider, "environments/", wish).await.expect(201).id();
    let wish = json!({"key": "PLANT", "value": "x", "environment": environment});
    let plant = app.make(outsider, "variables/", wish).await.expect(201).id();
    for method in [Method::PATCH, Method::PUT] {
        let wish = json!({"key": "PLANT", "environment": team.environment});
        let refused = app
            .call(Some(outsider), method, &format!("variables/{plant}/"), wish)
            .await
            .expect(400);
        assert_eq!(refused.body["code"], "parent_is_fixed");
    }
    let wish = json!({"key": "PLANT", "value": "x", "environment": team.environment});
    app.make(outsider, "variables/", wish).await.expect(404);
    let import = format!("environments/{}/import/", team.environment);
    app.make(outsider, &import, json!({"data": "PLANT=x"})).await.expect(404);
    assert_eq!(team.shown(admin).await, []);
}

#[sqlx::test(migrations = false)]
async fn r16_viewers_never_see_a_value_on_any_route(pool: PgPool) {
    let team = Team::start(pool).await;
    let variable = team.variable("TOKEN", "canary").await;
    for path in [
        "variables/".to_owned(),
        format!("variables/{variable}/"),
        format!("environments/{}/variables/", team.environment),
        "audit-logs/".to_owned(),
    ] {
        let seen = team.app.read(&team.viewer, &path).await.expect(200).body.to_string();
        assert!(!seen.contains("canary"), "{path}");
        assert!(path == "audit-logs/" || seen.contains("[HIDDEN]"), "{path}");
    }
    let path = format!("environments/{}/export/", team.environment);
    assert_eq!(team.app.read(&team.viewer, &path).await.expect(403).body["code"], "role_too_weak");
}
