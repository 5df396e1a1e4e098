//! What ends a token or weakens it: at once, since the next request is the one that is refused.

use keynest_commands::Origin;
use keynest_domain::{Lifetime, UserId};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::core::team::Team;
use crate::person::{PASSWORD, link_path};

#[sqlx::test(migrations = false)]
async fn a_token_expires(pool: PgPool) {
    let team = Team::start(pool).await;
    let wish = json!({"everywhere": true, "expires_in_days": 1});
    let (token, _) = team.app.token(&team.admin, wish.clone()).await;
    let (service, _) = team.service(wish).await;
    team.app.clock.advance(Lifetime::from_minutes(24 * 60 - 1));
    assert_eq!([team.status_for(&token).await, team.status_for(&service).await], [200, 200]);
    team.app.clock.advance(Lifetime::from_minutes(2));
    assert_eq!([team.status_for(&token).await, team.status_for(&service).await], [401, 401]);
}

#[sqlx::test(migrations = false)]
async fn a_token_works_from_its_networks_alone(pool: PgPool) {
    let team = Team::start(pool).await;
    for (ranges, status) in [
        (json!(["127.0.0.0/8"]), 200),
        (json!(["127.0.0.1"]), 200),
        (json!(["203.0.113.0/24", "127.0.0.1/32"]), 200),
        (json!(["203.0.113.0/24"]), 401),
        (json!(["::/0"]), 401),
    ] {
        let wish = json!({"everywhere": true, "ip_ranges": ranges});
        let (token, _) = team.app.token(&team.admin, wish.clone()).await;
        let (service, _) = team.service(wish).await;
        for bearer in [&token, &service] {
            assert_eq!(team.status_for(bearer).await, status, "{ranges}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_token_is_never_stronger_than_its_owner_is_now(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, organization, environment, .. } = &team;
    let (token, _) = app.token(editor, json!({"everywhere": true, "access": "write"})).await;
    let add = |key: &str| json!({"key": key, "value": "x", "environment": environment});
    app.make(&token, "variables/", add("ONE")).await.expect(201);

    let role = json!({"user_id": editor.id, "role": "viewer"});
    let path = format!("organizations/{organization}/update_member_role/");
    app.change(admin, &path, role).await.expect(200);
    let refused = app.make(&token, "variables/", add("TWO")).await.expect(403).body;
    assert_eq!(refused["code"], "role_too_weak");
    assert_eq!(team.shown(&token).await, [("ONE".to_owned(), "[HIDDEN]".to_owned())]);

    let path = format!("organizations/{organization}/remove_member/");
    app.remove(admin, &path, json!({"user_id": editor.id})).await.expect(200);
    app.make(&token, "variables/", add("THREE")).await.expect(404);
    assert_eq!(team.status_for(&token).await, 404);
}

#[sqlx::test(migrations = false)]
async fn closing_the_account_ends_its_tokens_for_good(pool: PgPool) {
    let team = Team::start(pool).await;
    let (token, _) = team.app.token(&team.editor, json!({"everywhere": true})).await;
    assert_eq!(team.status_for(&token).await, 200);
    let origin = Origin::product(team.app.clock.request_id());
    let editor = UserId::new(team.editor.id);
    let closed = team.app.app.commands.deactivate_user(&origin, editor).await.unwrap();
    team.app.app.revocations.wait_for(closed.position).await;
    assert_eq!(team.status_for(&token).await, 401);
    team.app.app.commands.reactivate_user(&origin, editor).await.unwrap();
    team.app.catch_up().await;
    assert_eq!(team.status_for(&token).await, 401, "it does not come back");
}

#[sqlx::test(migrations = false)]
async fn a_reset_password_ends_tokens_and_a_changed_one_does_not(pool: PgPool) {
    let team = Team::start(pool).await;
    let (app, ann) = (&team.app, &team.admin);
    let (token, _) = app.token(ann, json!({"everywhere": true})).await;
    let new = "another-Horse-8-staple";
    let change =
        json!({"current_password": PASSWORD, "new_password": new, "confirm_new_password": new});
    app.make(ann, "/api/auth/change-password/", change).await.expect(200);
    assert_eq!(team.status_for(&token).await, 200);

    let email = json!({"email": ann.email});
    app.call(None, reqwest::Method::POST, "/api/auth/password-reset/", email).await.expect(200);
    let path = link_path(&app.mail_to(&ann.email).await.body_text);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let reset = json!({"uid": parts[1], "token": parts[2], "new_password": PASSWORD, "confirm_password": PASSWORD});
    let path = "/api/auth/password-reset-confirm/";
    app.call(None, reqwest::Method::POST, path, reset).await.expect(200);
    assert_eq!(team.status_for(&token).await, 401);
}

#[sqlx::test(migrations = false)]
async fn another_replica_knows_within_a_second(pool: PgPool) {
    let team = Team::start(pool.clone()).await;
    let (token, id) = team.app.token(&team.admin, json!({"everywhere": true})).await;
    let path = format!("/api/auth/tokens/{id}/");
    team.app.remove(&team.admin, &path, Value::Null).await.expect(204);
    // What the feed says is enough: a read model that stands still does not revive a token.
    sqlx::query("update read.tokens set ended_at = null").execute(&pool).await.unwrap();
    assert_eq!(team.status_for(&token).await, 401);
}

#[sqlx::test(migrations = false)]
async fn an_organization_takes_its_services_with_it(pool: PgPool) {
    let team = Team::start(pool).await;
    let (service, _) = team.service(json!({"everywhere": true})).await;
    assert_eq!(team.status_for(&service).await, 200);
    let path = format!("organizations/{}/", team.organization);
    team.app.remove(&team.admin, &path, Value::Null).await.expect(204);
    team.app.catch_up().await;
    assert_eq!(team.status_for(&service).await, 401);
}
