//! Tokens of an organization: services with a name and a number of their own, and no members.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::core::team::Team;

#[sqlx::test(migrations = false)]
async fn a_service_acts_under_its_own_name_and_is_no_member(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, organization, project, .. } = &team;
    let members = format!("organizations/{organization}/members/");
    let before = app.read(admin, &members).await.expect(200).body;
    let wish = json!({"everywhere": true, "access": "write", "role": "editor"});
    let (service, id) = team.service(wish).await;

    let made = app.make(&service, "environments/", json!({"name": "ci", "project": project})).await;
    let environment = made.expect(201);
    assert_eq!(environment.body["created_by_name"], "deploy robot");
    let wish = json!({"key": "A", "value": "1", "environment": environment.id()});
    let variable = app.make(&service, "variables/", wish).await.expect(201).body;
    assert_eq!(variable["created_by_name"], "deploy robot");

    let mail = app.mail_to(&team.editor.email).await;
    assert_eq!(mail.kind, "environment_created");
    assert!(mail.body_text.contains("deploy robot (service token)"), "{}", mail.body_text);

    assert_eq!(app.read(admin, &members).await.expect(200).body, before);
    let seen = app.read(admin, &format!("organizations/{organization}/")).await.expect(200).body;
    assert_eq!(seen["member_count"], before["total_count"]);
    let update = json!({"user_id": id, "role": "admin"});
    let path = format!("organizations/{organization}/update_member_role/");
    app.change(admin, &path, update).await.expect(404);
    let path = format!("organizations/{organization}/remove_member/");
    app.remove(admin, &path, json!({"user_id": id})).await.expect(404);

    let log = app.read(admin, &format!("audit-logs/?user={id}")).await.expect(200).body;
    let rows = log["results"].as_array().unwrap();
    let made = rows.iter().find(|row| row["target_type"] == "environment").unwrap();
    assert_eq!(
        (&made["user_name"], &made["details"]["token"]),
        (&json!("deploy robot"), &json!(id))
    );
}

#[sqlx::test(migrations = false)]
async fn what_is_done_with_a_personal_token_says_so_in_the_log(pool: PgPool) {
    let team = Team::start(pool).await;
    let (token, id) =
        team.app.token(&team.admin, json!({"everywhere": true, "access": "write"})).await;
    let wish = json!({"name": "ci", "project": team.project});
    team.app.make(&token, "environments/", wish).await.expect(201);
    let log = team.app.read(&team.admin, "audit-logs/?target_type=environment").await.expect(200);
    let row = &log.body["results"][0];
    assert_eq!((&row["user"], &row["details"]["token"]), (&json!(team.admin.id), &json!(id)));
}

#[sqlx::test(migrations = false)]
async fn only_admins_of_its_organization_see_or_end_a_service(pool: PgPool) {
    let team = Team::start(pool).await;
    let (service, id) = team.service(json!({"everywhere": true})).await;
    let tokens = format!("organizations/{}/tokens/", team.organization);
    let listed = team.app.read(&team.admin, &tokens).await.expect(200).body;
    assert_eq!(
        (&listed["tokens"][0]["id"], &listed["tokens"][0]["role"]),
        (&json!(id), &json!("viewer"))
    );
    let own = json!({"name": "Other"});
    let other = team.app.make(&team.outsider, "organizations/", own).await.expect(201).id();
    for (caller, path, status) in [
        (&team.editor, format!("{tokens}{id}/"), 403),
        (&team.outsider, format!("{tokens}{id}/"), 404),
        // The number of another organization's token, in one's own organization.
        (&team.outsider, format!("organizations/{other}/tokens/{id}/"), 404),
        (&team.admin, format!("/api/auth/tokens/{id}/"), 404),
        (&service, format!("{tokens}{id}/"), 403),
    ] {
        team.app.remove(caller, &path, Value::Null).await.expect(status);
    }
    assert_eq!(team.status_for(&service).await, 200);
    team.app.remove(&team.admin, &format!("{tokens}{id}/"), Value::Null).await.expect(204);
    assert_eq!(team.status_for(&service).await, 401);
}

#[sqlx::test(migrations = false)]
async fn no_token_reaches_an_account(pool: PgPool) {
    let team = Team::start(pool).await;
    let (token, _) =
        team.app.token(&team.admin, json!({"everywhere": true, "access": "write"})).await;
    let (service, _) = team.service(json!({"everywhere": true})).await;
    let document = team.app.call(None, Method::GET, "/api/openapi.json", Value::Null).await.body;
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let is_account = ["/api/auth/", "/api/admin/"].iter().any(|it| path.starts_with(it));
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"].as_array();
            let is_public = security.is_none_or(|it| it.is_empty() || it.contains(&json!({})));
            if !is_account || is_public {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", "7");
            for bearer in [&token, &service] {
                let answer = team.app.call(Some(bearer), method.clone(), &path, json!({})).await;
                assert_eq!(answer.status, 403, "{method} {path} {}", answer.body);
                assert_eq!(answer.body["code"], "token_not_allowed", "{method} {path}");
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked}");
}
