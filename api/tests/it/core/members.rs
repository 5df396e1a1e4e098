//! Members: who sees them, their roles, their removal.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;

fn row(body: &Value, id: i64) -> &Value {
    let members = body["members"].as_array().unwrap();
    members.iter().find(|member| member["id"] == id).unwrap()
}

#[sqlx::test(migrations = false)]
async fn r13_d12_all_members_see_the_list_and_admins_see_more(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("organizations/{}/members/", team.organization);
    for person in [&team.admin, &team.editor, &team.viewer] {
        let list = team.app.read(person, &path).await.expect(200).body;
        assert_eq!(list["total_count"], 3);
        let order: Vec<_> =
            list["members"].as_array().unwrap().iter().map(|m| m["id"].as_i64().unwrap()).collect();
        assert_eq!(order, [team.admin.id, team.editor.id, team.viewer.id], "by joining date");
        let seen = row(&list, team.editor.id);
        assert_eq!((&seen["email"], &seen["role"]), (&json!("edi@example.com"), &json!("editor")));
        assert!(seen["joined_at"].as_str().unwrap().starts_with("20"));
        let is_admin = person.id == team.admin.id;
        assert_eq!(seen.get("is_active").is_some(), is_admin);
        assert_eq!(seen.get("last_login").is_some(), is_admin);
    }
    team.app.read(&team.outsider, &path).await.expect(404);
    team.app.read(&team.admin, "organizations/7/members/").await.expect(404);
}

#[sqlx::test(migrations = false)]
async fn d02_roles_change_and_members_leave(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("organizations/{}/update_member_role/", team.organization);
    let wish = json!({"user_id": team.viewer.id, "role": "member"});
    let changed = team.app.change(&team.admin, &path, wish.clone()).await.expect(200).body;
    assert_eq!(
        changed["member"],
        json!({"id": team.viewer.id, "email": "vic@example.com", "username": "vic", "role": "editor"})
    );
    team.app.change(&team.admin, &path, wish).await.expect(200);
    let path = format!("organizations/{}/remove_member/", team.organization);
    let removed = team
        .app
        .remove(&team.admin, &path, json!({"user_id": team.viewer.id}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        removed["removed_member"],
        json!({"email": "vic@example.com", "username": "vic", "role": "editor"})
    );
    team.app.read(&team.viewer, &format!("projects/{}/", team.project)).await.expect(404);
    let list = team.app.read(&team.viewer, "organizations/").await.expect(200).body;
    assert!(!list.to_string().contains("Acme"));
}

#[sqlx::test(migrations = false)]
async fn r15_roles_are_admin_editor_viewer_and_nothing_else(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("organizations/{}/update_member_role/", team.organization);
    for role in ["owner", "", "ADMIN", "superuser"] {
        let wish = json!({"user_id": team.viewer.id, "role": role});
        let refused = team.app.change(&team.admin, &path, wish).await.expect(400);
        assert!(refused.body["role"][0].is_string(), "{role}");
    }
}

#[sqlx::test(migrations = false)]
async fn nobody_changes_themselves_or_a_stranger(pool: PgPool) {
    let team = Team::start(pool).await;
    let role = format!("organizations/{}/update_member_role/", team.organization);
    let removal = format!("organizations/{}/remove_member/", team.organization);
    for (user, status, code) in [
        (team.admin.id, 400, "own_membership"),
        (team.outsider.id, 404, "not_a_member"),
        (7, 404, "not_a_member"),
    ] {
        let answer =
            team.app.change(&team.admin, &role, json!({"user_id": user, "role": "viewer"})).await;
        assert_eq!((answer.expect(status).body["code"]), json!(code));
        let answer =
            team.app.remove(&team.admin, &removal, json!({"user_id": user})).await.expect(status);
        assert_eq!(answer.body["code"], code);
        assert!(answer.body["error"].is_string());
    }
}

#[sqlx::test(migrations = false)]
async fn r18_removal_takes_a_json_body_with_a_number(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("organizations/{}/remove_member/", team.organization);
    for body in
        [json!({}), json!({"user_id": null}), json!({"user_id": "x"}), json!({"user_id": [1]})]
    {
        let refused = team.app.remove(&team.admin, &path, body).await.expect(400);
        assert!(refused.body["user_id"][0].is_string(), "{}", refused.body);
    }
    let wish = json!({"user_id": team.viewer.id.to_string()});
    team.app.remove(&team.admin, &path, wish).await.expect(200);
}
