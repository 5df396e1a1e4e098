//! Invitations: sent, accepted, taken back, overdue.

use keynest_domain::Lifetime;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::{Answer, Team};
use crate::app::TestApp;

async fn invite(team: &Team, email: &str) -> Answer {
    let path = format!("organizations/{}/invite_member/", team.organization);
    team.app.make(&team.admin, &path, json!({"email": email, "role": "editor"})).await
}

#[sqlx::test(migrations = false)]
async fn r09_the_answer_names_invitation_and_member(pool: PgPool) {
    let team = Team::start(pool).await;
    let sent = invite(&team, " Bob@Example.com ").await.expect(201).body;
    assert_eq!(sent["member"], json!({"email": "bob@example.com"}));
    let invitation = &sent["invitation"];
    for (field, value) in [
        ("email", "bob@example.com"),
        ("role", "editor"),
        ("organization", "Acme"),
        ("status", "pending"),
    ] {
        assert_eq!(invitation[field], value, "{field}");
    }
    assert!(invitation["expires_at"].as_str().unwrap().starts_with("20"));
}

#[sqlx::test(migrations = false)]
async fn r11_r12_an_invitation_is_accepted_without_a_session_by_its_token_alone(pool: PgPool) {
    let team = Team::start(pool).await;
    let token =
        team.app.invite(&team.admin, team.organization, &team.outsider.email, "editor").await;
    let joined = team.app.accept(None, &token).await.expect(200).body;
    for (field, value) in
        [("organization_name", "Acme"), ("role", "editor"), ("inviter_name", "ann")]
    {
        assert_eq!(joined[field], value, "{field}");
    }
    assert_eq!(joined["organization"]["id"], team.organization);
    assert_eq!(joined["organization"]["name"], "Acme");
    assert!(joined["organization"]["joined_at"].as_str().unwrap().starts_with("20"));
    team.app.read(&team.outsider, &format!("projects/{}/", team.project)).await.expect(200);
}

#[sqlx::test(migrations = false)]
async fn r12_acceptance_is_never_answered_401_and_only_for_the_invited_account(pool: PgPool) {
    let team = Team::start(pool).await;
    let token =
        team.app.invite(&team.admin, team.organization, &team.outsider.email, "viewer").await;
    let other = team.app.accept(Some(&team.editor), &token).await.expect(400);
    assert_eq!(other.body["code"], "invitation_for_another");
    let mut stale = team.outsider.clone();
    stale.access = "undefined".to_owned();
    team.app.accept(Some(&stale), &token).await.expect(200);
}

#[sqlx::test(migrations = false)]
async fn an_invitation_joins_nobody_before_there_is_an_active_account(pool: PgPool) {
    let team = Team::start(pool).await;
    let token = team.app.invite(&team.admin, team.organization, "bob@example.com", "viewer").await;
    let early = team.app.accept(None, &token).await.expect(400);
    assert_eq!(early.body["code"], "account_missing");
    let wish = crate::person::registration("bob");
    team.app.post("/api/auth/register/").json(&wish).send().await.unwrap();
    assert_eq!(team.app.accept(None, &token).await.expect(400).body["code"], "account_missing");
    team.app.activate_by_mail("bob@example.com").await;
    let bob = team.app.sign_in("bob").await;
    team.app.read(&bob, &format!("organizations/{}/", team.organization)).await.expect(404);
    team.app.accept(None, &token).await.expect(200);
    team.app.read(&bob, &format!("organizations/{}/", team.organization)).await.expect(200);
}

#[sqlx::test(migrations = false)]
async fn dead_links_say_why_in_the_words_that_the_page_looks_for(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, outsider, organization, .. } = &team;
    let error = async |token: &str| {
        let refused = app.accept(None, token).await.expect(400).body;
        (
            refused["code"].as_str().unwrap().to_owned(),
            refused["error"].as_str().unwrap().to_owned(),
        )
    };
    let revoked = app.invite(admin, *organization, &outsider.email, "viewer").await;
    let list = format!("organizations/{organization}/invitations/");
    let pending = app.read(admin, &list).await.expect(200).body;
    assert_eq!(
        (&pending["total_count"], &pending["invitations"][0]["inviter_name"]),
        (&json!(1), &json!("ann"))
    );
    let id = pending["invitations"][0]["id"].as_str().unwrap();
    app.remove(admin, &format!("{list}{id}/"), Value::Null).await.expect(204);
    assert_eq!(error(&revoked).await.0, "invitation_revoked");

    let overdue = app.invite(admin, *organization, &outsider.email, "viewer").await;
    app.clock.advance(Lifetime::from_days(7));
    let (code, text) = error(&overdue).await;
    assert_eq!(code, "invitation_expired");
    assert!(text.contains("expired"), "{text}");
    for (token, code) in [
        ("", "invitation_unknown"),
        ("x", "invitation_unknown"),
        (&overdue[1..], "invitation_unknown"),
    ] {
        assert_eq!(error(token).await.0, code, "{token}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_used_link_says_already(pool: PgPool) {
    let team = Team::start(pool).await;
    let token =
        team.app.invite(&team.admin, team.organization, &team.outsider.email, "viewer").await;
    team.app.accept(None, &token).await.expect(200);
    let again = team.app.accept(None, &token).await.expect(400).body;
    assert_eq!(again["code"], "invitation_used");
    assert!(again["error"].as_str().unwrap().contains("already"));
}

#[sqlx::test(migrations = false)]
async fn d15_an_address_is_invited_again_after_expiry_revocation_removal_and_acceptance(
    pool: PgPool,
) {
    let team = Team::start(pool).await;
    let Team { app, admin, outsider, organization, .. } = &team;
    app.invite(admin, *organization, &outsider.email, "viewer").await;
    let pending = invite(&team, "EVE@example.com").await.expect(400);
    assert_eq!(pending.body["code"], "invitation_pending");
    // Overdue: the new invitation takes the place of the old one.
    app.clock.advance(Lifetime::from_days(8));
    let eve = app.sign_in("eve").await;
    let admin = &app.sign_in("ann").await;
    let token = app.invite(admin, *organization, &eve.email, "viewer").await;
    app.accept(None, &token).await.expect(200);
    // Accepted: a member is not invited, a removed one is.
    let path = format!("organizations/{organization}/invite_member/");
    let member = app.make(admin, &path, json!({"email": eve.email})).await.expect(400);
    assert_eq!(member.body["code"], "already_member");
    let removal = format!("organizations/{organization}/remove_member/");
    app.remove(admin, &removal, json!({"user_id": eve.id})).await.expect(200);
    app.join(admin, *organization, &eve, "viewer").await;
    let member = app.read(&eve, &format!("organizations/{organization}/")).await.expect(200).body;
    assert_eq!(member["user_role"], "viewer");
}

#[sqlx::test(migrations = false)]
async fn the_janitor_ends_overdue_invitations(pool: PgPool) {
    let team = Team::start(pool).await;
    team.app.invite(&team.admin, team.organization, "bob@example.com", "viewer").await;
    team.app.clock.advance(Lifetime::from_days(7));
    team.app.tidy_up().await;
    team.app.catch_up().await;
    let admin = team.app.sign_in("ann").await;
    let list = format!("organizations/{}/invitations/", team.organization);
    assert_eq!(team.app.read(&admin, &list).await.expect(200).body["total_count"], 0);
}

#[sqlx::test(migrations = false)]
async fn what_makes_no_sense_is_refused(pool: PgPool) {
    let team = Team::start(pool).await;
    for (email, code) in [
        ("ann@example.com", "own_membership"),
        ("EDI@example.com", "already_member"),
        ("", "validation"),
        ("nonsense", "validation"),
        ("a@b\r\nBcc: eve@example.com", "validation"),
    ] {
        let refused = invite(&team, email).await.expect(400);
        assert_eq!(refused.body["code"], code, "{email}");
        assert!(refused.body["error"].is_string());
    }
    let path = format!("organizations/{}/invite_member/", team.organization);
    let wish = json!({"email": "bob@example.com", "role": "owner"});
    assert!(team.app.make(&team.admin, &path, wish).await.expect(400).body["role"][0].is_string());
}

#[sqlx::test(migrations = false)]
async fn an_activation_token_is_no_invitation(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.post("/api/auth/register/").json(&crate::person::registration("bob")).send().await.unwrap();
    let path = crate::person::link_path(&app.mail_to("bob@example.com").await.body_text);
    let token = path.trim_matches('/').split('/').next_back().unwrap().to_owned();
    assert_eq!(app.accept(None, &token).await.expect(400).body["code"], "invitation_unknown");
}

#[sqlx::test(migrations = false)]
async fn a_token_with_any_letter_changed_joins_nobody(pool: PgPool) {
    let team = Team::start(pool).await;
    let token =
        team.app.invite(&team.admin, team.organization, &team.outsider.email, "viewer").await;
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let refused = team.app.accept(None, &forged).await.expect(400);
        assert_eq!(refused.body["code"], "invitation_unknown", "letter {at}");
    }
    team.app.accept(None, &token).await.expect(200);
}
