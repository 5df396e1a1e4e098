//! Each event's row, as CONTRACT 4.8 names it.

use keynest_crypto::{Context, Subject};
use keynest_domain::Event;
use keynest_domain::access::{Access, EnvironmentExported, VariablesRead};
use keynest_domain::environment::*;
use keynest_domain::login::{Login, LoginFailed, LoginLocked, LoginUnlocked};
use keynest_domain::organization::*;
use keynest_domain::project::{Project, ProjectDeleted, ProjectUpdated};
use keynest_domain::refusals::{AccessRefused, Refusals, Scope};
use keynest_domain::session::{
    EndReason, RefreshTokenReuseDetected, Session, SessionEnded, SessionRefreshed,
};
use keynest_domain::user::*;
use keynest_domain::*;
use keynest_store::Metadata;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::world::*;

/// What a row must say.
type Expected = (&'static str, &'static str, String, serde_json::Value, &'static str);

/// The rows of the whole log in its order.
async fn rows(world: &World) -> Vec<Expected> {
    let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
        "select action, target_type, target_id, details::text, outcome from audit_log
         order by position limit 1000",
    )
    .fetch_all(&world.read)
    .await
    .unwrap();
    let leak = |text: String| -> &'static str { text.leak() };
    let read = rows.into_iter().map(|(action, target_type, target_id, details, outcome)| {
        let details = serde_json::from_str(&details).unwrap();
        (leak(action), leak(target_type), target_id, details, leak(outcome))
    });
    read.collect()
}

fn row(
    action: &'static str,
    target_type: &'static str,
    target_id: impl ToString,
    details: serde_json::Value,
) -> Expected {
    (action, target_type, target_id.to_string(), details, "ok")
}

/// The rows of what [`World::acme`] leaves in the log are not looked at again.
async fn after_acme(options: PgConnectOptions) -> (World, usize) {
    let world = World::new(options).await;
    world.acme().await;
    world.catch_up().await;
    let before = rows(&world).await.len();
    (world, before)
}

#[sqlx::test(migrations = false)]
async fn what_makes_a_team_is_audited(_: PgPoolOptions, options: PgConnectOptions) {
    let (world, _) = after_acme(options).await;
    let found = rows(&world).await;
    let registered = json!({"email": "ann@example.com", "organization_created": true,
        "activation_required": true});
    assert_eq!(found[0], row("register", "user", ANN, registered));
    assert_eq!(found[1], row("activate", "user", ANN, json!({"email_activation": true})));
    assert_eq!(found[6], row("create", "organization", ACME, json!({"name": "Acme"})));
    let joined = json!({"joined_user_id": 2, "joined_user_email": "bob@example.com",
        "role": "viewer", "organization_id": 11, "organization_name": "Acme"});
    assert_eq!(found[8], row("create", "membership", ACME, joined));
    let project = json!({"name": "Shop", "organization": "Acme"});
    assert_eq!(found[9], row("create", "project", SHOP, project));
    let environment = json!({"name": "prod", "project": "Shop", "type": "production"});
    assert_eq!(found[10], row("create", "environment", PROD, environment));
    assert_eq!(found.len(), 11);
}

#[sqlx::test(migrations = false)]
async fn what_happens_to_an_account_is_audited(_: PgPoolOptions, options: PgConnectOptions) {
    let (world, before) = after_acme(options).await;
    let sealed = Sealed::from_bytes(vec![1]);
    let (nonce, expires_at) = (LinkNonce::new(1), at(9));
    let email = json!({"email": "ann@example.com"});
    let mut refused = row("register_repeated", "user", ANN, email.clone());
    refused.4 = "refused";
    let cases: Vec<(Event, Expected)> = vec![
        (RegistrationRepeated { at: at(2) }.into(), refused),
        (
            ActivationRequested { nonce, expires_at, at: at(2) }.into(),
            row("activation_request", "user", ANN, email.clone()),
        ),
        (
            ProfileUpdated { first_name: sealed.clone(), last_name: sealed.clone() }.into(),
            row("update", "user", ANN, json!({})),
        ),
        (
            PasswordChanged { password: sealed.clone(), kept: None, epoch: 1, at: at(3) }.into(),
            row("password_change", "user", ANN, json!({"method": "authenticated_change"})),
        ),
        (
            PasswordResetRequested { nonce, expires_at, at: at(3) }.into(),
            row("password_reset_request", "user", ANN, email),
        ),
        (
            PasswordReset { password: sealed, epoch: 2, at: at(4) }.into(),
            row("password_reset_confirm", "user", ANN, json!({"method": "email_reset"})),
        ),
        (UserDeactivated { epoch: 3 }.into(), row("deactivate", "user", ANN, json!({}))),
        (UserReactivated {}.into(), row("reactivate", "user", ANN, json!({}))),
        (
            NoticesSwitched { wanted: true }.into(),
            row("update", "user", ANN, json!({"notices": true})),
        ),
        (AdministratorGranted {}.into(), row("administrator_grant", "user", ANN, json!({}))),
        (AdministratorRevoked {}.into(), row("administrator_revoke", "user", ANN, json!({}))),
        (DataExported { at: at(5) }.into(), row("export", "user", ANN, json!({}))),
        (
            UserErased { epoch: 4, farewell: None, at: at(6) }.into(),
            row("erase", "user", ANN, json!({})),
        ),
    ];
    let (events, expected): (Vec<Event>, Vec<Expected>) = cases.into_iter().unzip();
    world.append(User::stream(ANN), Metadata::default(), events).await;
    world.projections.catch_up().await.unwrap();
    assert_eq!(rows(&world).await[before..], expected);
}

#[sqlx::test(migrations = false)]
async fn sign_ins_and_their_ends_are_audited(_: PgPoolOptions, options: PgConnectOptions) {
    let (world, before) = after_acme(options).await;
    let id = session(7);
    world.signs_in(ANN, id, at(5)).await;
    let refresh_key = KeyId::new(Uuid::nil());
    let ended = |reason| SessionEnded { session: id, user: ANN, reason }.into();
    let events: Vec<Event> = vec![
        SessionRefreshed { generation: 1, refresh_key, at: at(6) }.into(),
        RefreshTokenReuseDetected { user: ANN, presented: 0 }.into(),
        ended(EndReason::TokenReuse),
        ended(EndReason::SignedOut),
    ];
    world.append(Session::stream(id), Metadata::default(), events).await;
    let login: LoginId = LoginId::new(Uuid::from_u128(1));
    let events: Vec<Event> = vec![
        LoginFailed { user: Some(ANN), at: at(7) }.into(),
        LoginLocked { user: None, until: at(0) }.into(),
        LoginUnlocked { user: Some(ANN), at: at(9) }.into(),
    ];
    world.append(Login::stream(login), Metadata::default(), events).await;
    world.catch_up().await;
    let mut expected = [
        row(
            "login",
            "user",
            ANN,
            json!({"method": "jwt", "session": id.to_string(), "by": "password", "second_factor": null}),
        ),
        row("token_refresh", "session", id, json!({"generation": 1})),
        row("token_reuse", "session", id, json!({"presented_generation": 0})),
        row("session_end", "session", id, json!({"reason": "token_reuse"})),
        row("logout", "user", ANN, json!({"session": id.to_string()})),
        row("login_failed", "user", ANN, json!({})),
        row("login_locked", "user", "", json!({"locked_until": "2026-03-01T12:00:00.000000Z"})),
        row("login_unlocked", "user", ANN, json!({})),
    ];
    (expected[2].4, expected[5].4, expected[6].4) = ("refused", "failed", "refused");
    assert_eq!(rows(&world).await[before..], expected);
}

#[sqlx::test(migrations = false)]
async fn members_and_invitations_are_audited(_: PgPoolOptions, options: PgConnectOptions) {
    let (world, before) = after_acme(options).await;
    let stream = Organization::stream(ACME);
    let sent = async |number: u128| -> Event {
        let name = "organization.invitation_sent";
        let subject = Subject::Invitation(invitation(number));
        let address = world.seal(subject, stream.clone(), name, "address", "eve@example.com").await;
        let (role, inviter, nonce) = (Role::Editor, ANN, LinkNonce::new(1));
        let invitation = invitation(number);
        InvitationSent { invitation, address, role, inviter, nonce, expires_at: at(9), at: at(0) }
            .into()
    };
    let subject = Subject::Organization(ACME);
    let name = world.seal(subject, stream.clone(), "organization.updated", "name", "Acme 2").await;
    let events = vec![
        sent(1).await,
        InvitationAccepted { invitation: invitation(1), user: EVE, inviter: ANN }.into(),
        InvitationRevoked { invitation: invitation(1) }.into(),
        InvitationExpired { invitation: invitation(1) }.into(),
        MemberRoleChanged { user: BOB, from: Role::Viewer, to: Role::Editor }.into(),
        MemberRemoved { user: BOB, role: Role::Editor }.into(),
        OrganizationUpdated { name, description: None }.into(),
        OrganizationDeleted {}.into(),
    ];
    world.append(stream.clone(), Metadata::default(), events).await;
    world.catch_up().await;
    let at_nine = "2026-03-01T12:00:09.000000Z";
    let unanswered = json!({"invitee_email": "eve@example.com", "role": "editor",
        "organization_id": 11, "organization_name": "Acme"});
    let expected = [
        row(
            "create",
            "invitation",
            ACME,
            json!({"invitee_email": "eve@example.com", "role": "editor",
            "organization_id": 11, "organization_name": "Acme", "invitation_method": "email",
            "expires_at": at_nine}),
        ),
        row(
            "accept",
            "invitation",
            ACME,
            json!({"organization_id": 11, "organization_name": "Acme",
            "role": "editor", "inviter_email": "ann@example.com",
            "invitation_created": "2026-03-01T12:00:00.000000Z"}),
        ),
        row("invitation_revoked", "invitation", ACME, unanswered.clone()),
        row("invitation_expired", "invitation", ACME, unanswered),
        row(
            "update",
            "membership",
            ACME,
            json!({"updated_user_id": 2,
            "updated_user_email": "bob@example.com", "old_role": "viewer", "new_role": "editor",
            "organization_id": 11, "organization_name": "Acme"}),
        ),
        row(
            "delete",
            "membership",
            ACME,
            json!({"removed_user_id": 2,
            "removed_user_email": "bob@example.com", "removed_user_role": "editor",
            "organization_id": 11, "organization_name": "Acme"}),
        ),
        row("update", "organization", ACME, json!({"name": "Acme 2", "old_name": "Acme"})),
        row("delete", "organization", ACME, json!({"name": "Acme 2"})),
    ];
    assert_eq!(rows(&world).await[before..], expected);
}

#[sqlx::test(migrations = false)]
async fn projects_environments_and_variables_are_audited_without_values(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let (world, before) = after_acme(options).await;
    let subject = Subject::Organization(ACME);
    let (project, environment) = (Project::stream(SHOP), Environment::stream(PROD));
    let name = world.seal(subject, project.clone(), "project.updated", "name", "Store").await;
    let updated = ProjectUpdated { name, description: None, is_renamed: true };
    world.append(project.clone(), Metadata::default(), vec![updated.into()]).await;
    let name =
        world.seal(subject, environment.clone(), "environment.updated", "name", "live").await;
    let environment_type = EnvironmentType::Staging;
    let key = |text| VariableKey::parse(text).unwrap();
    let variable = VariableId::new(41);
    let format = FileFormat::Yaml;
    let events: Vec<Event> = vec![
        EnvironmentUpdated { name, environment_type, description: None }.into(),
        world.created(PROD, 41, "KEY", "canary").await,
        world.changed(PROD, 41, 2, "canary").await,
        VariableRenamed { variable, from: key("KEY"), to: key("NAME") }.into(),
        VariableDeleted { variable, key: key("NAME") }.into(),
        VariablesImported { format, created: 3, changed: 1, overwrite: true }.into(),
        EnvironmentDeleted {}.into(),
    ];
    world.append(environment, Metadata::default(), events).await;
    world.append(project, Metadata::default(), vec![ProjectDeleted {}.into()]).await;
    world.catch_up().await;
    let placed = |mut details: serde_json::Value| {
        details["environment"] = json!("live");
        details["project"] = json!("Store");
        details
    };
    let expected = [
        row(
            "update",
            "project",
            SHOP,
            json!({"name": "Store", "old_name": "Shop", "organization": "Acme"}),
        ),
        row(
            "update",
            "environment",
            PROD,
            json!({"name": "live", "old_name": "prod",
            "project": "Store", "type": "staging"}),
        ),
        row("create", "variable", 41, placed(json!({"key": "KEY"}))),
        row(
            "update",
            "variable",
            41,
            placed(json!({"key": "KEY", "value_updated": true,
            "had_value": true, "version": 2})),
        ),
        row("rename", "variable", 41, placed(json!({"key": "NAME", "old_key": "KEY"}))),
        row("delete", "variable", 41, placed(json!({"key": "NAME"}))),
        row(
            "import",
            "environment",
            PROD,
            placed(json!({"format": "yaml", "imported_count": 3,
            "updated_count": 1, "failed_imports": 0, "overwrite_enabled": true})),
        ),
        row("delete", "environment", PROD, json!({"name": "live", "project": "Store"})),
        row("delete", "project", SHOP, json!({"name": "Store", "organization": "Acme"})),
    ];
    assert_eq!(rows(&world).await[before..], expected);
}

#[sqlx::test(migrations = false)]
async fn readings_and_refusals_are_audited(_: PgPoolOptions, options: PgConnectOptions) {
    let (world, before) = after_acme(options).await;
    let read = |ids: &[i64]| VariablesRead {
        organization: ACME,
        variables: ids.iter().map(|id| VariableId::new(*id)).collect(),
    };
    let exported = EnvironmentExported {
        organization: ACME,
        project: SHOP,
        environment: PROD,
        format: FileFormat::Env,
        variables: 2,
    };
    let events: Vec<Event> = vec![read(&[41]).into(), read(&[41, 42]).into(), exported.into()];
    world.append(Access::stream(ACME), Metadata::default(), events).await;
    let refused = AccessRefused {
        route: "GET /api/core/variables/{id}/".to_owned(),
        object: Some("41".to_owned()),
        code: "forbidden".to_owned(),
        count: 2,
    };
    let scope = Scope::Organization(ACME);
    world.by::<Refusals>(BOB, scope, refused.clone()).await;
    world.happens::<Refusals>(Scope::Public, AccessRefused { object: None, ..refused }).await;
    world.catch_up().await;
    let why = json!({"route": "GET /api/core/variables/{id}/", "code": "forbidden", "count": 2});
    let mut expected = [
        row("read", "variable", 41, json!({"variable_count": 1, "variables": [41]})),
        row("read", "variable", "", json!({"variable_count": 2, "variables": [41, 42]})),
        row(
            "export",
            "environment",
            PROD,
            json!({"format": "env", "variable_count": 2,
            "failed_decryptions": 0, "environment": "prod", "project": "Shop"}),
        ),
        row("refused", "request", 41, why.clone()),
        row("refused", "request", "", why),
    ];
    (expected[3].4, expected[4].4) = ("refused", "refused");
    assert_eq!(rows(&world).await[before..], expected);
}

#[sqlx::test(migrations = false)]
async fn a_row_says_from_where_until_the_key_is_destroyed(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    let request = RequestId::new(Uuid::from_u128(5));
    let client = async |subject| {
        let stream = StreamName::new("client", "request");
        let context = Context::new(subject, stream, "metadata", request.to_string());
        let text = br#"{"address":"192.0.2.7","agent":"curl/8"}"#;
        Some(world.keyring.seal(&context, text).await.unwrap())
    };
    let now = world.recorded(User::stream(ANN)).await[0];
    let today = u32::try_from(now.seconds() / 86_400).unwrap();
    // One by a person, one before midnight by a stranger, one whose key is gone.
    let (by_ann, yesterday) = (Subject::User(ANN), Subject::Day(today - 1));
    let gone = Subject::User(BOB);
    for (actor, subject) in [(Some(ANN), by_ann), (None, yesterday), (Some(BOB), gone)] {
        let client = client(subject).await;
        let metadata = Metadata { actor, request: Some(request), client, ..Metadata::default() };
        let events = vec![NoticesSwitched { wanted: true }.into()];
        world.append(User::stream(ANN), metadata, events).await;
    }
    world.keyring.destroy(gone).await.unwrap();
    world.catch_up().await;
    let listed = world.queries.list_audit(ANN, &Default::default(), FIRST).await.unwrap();
    let clients: Vec<_> =
        listed.items.iter().map(|row| (row.ip_address.as_deref(), row.agent.as_deref())).collect();
    let known = (Some("192.0.2.7"), Some("curl/8"));
    assert_eq!(clients, [(None, None), known, known, (None, None), (None, None)]);
    assert_eq!(listed.items[1].request, Some(request));
    assert_eq!(
        (listed.items[4].user_name.as_str(), listed.items[4].user_email.as_str()),
        ("Ann", "ann@example.com")
    );
}
