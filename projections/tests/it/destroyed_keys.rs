//! Rows after the destruction of a key: what a rebuild writes, in every process and whatever crashed when.

use keynest_crypto::{Context, Subject};
use keynest_domain::organization::{
    InvitationAccepted, InvitationSent, Organization, OrganizationUpdated,
};
use keynest_domain::user::{ActivationRequested, ProfileUpdated, User};
use keynest_domain::*;
use keynest_store::Metadata;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::world::*;

/// The day of everything that callers without an account do here.
async fn day(world: &World) -> Subject {
    let recorded = world.recorded(User::stream(ANN)).await[0];
    Subject::Day(u32::try_from(recorded.seconds() / 86_400).unwrap())
}

async fn assert_rebuilt_equals_live(world: &World) {
    for projection in keynest_projections::all() {
        for table in world.projections.compare_with_rebuild(projection.name()).await.unwrap() {
            assert!(table.is_equal(), "{table:?}");
        }
    }
    let parked = world.projections.status().await.unwrap();
    assert!(parked.iter().all(|status| status.parked.is_empty()), "{parked:?}");
}

/// An event with the address and agent of whoever asked for it, sealed under this subject's key.
async fn from_somewhere(world: &World, user: UserId, actor: Option<UserId>, event: Event) {
    let request = RequestId::new(Uuid::from_u128(u128::from(
        world.commands.load(std::sync::atomic::Ordering::SeqCst),
    )));
    let subject = actor.map_or(day(world).await, Subject::User);
    let stream = StreamName::new("client", "request");
    let context = Context::new(subject, stream, "metadata", request.to_string());
    let client = br#"{"address": "192.0.2.7", "agent": "canary agent"}"#;
    let client = Some(world.keyring.seal(&context, client).await.unwrap());
    let metadata = Metadata { actor, request: Some(request), client, ..Metadata::default() };
    world.append(User::stream(user), metadata, vec![event]).await;
}

fn asked_again() -> Event {
    let (nonce, expires_at) = (LinkNonce::new(1), at(9));
    ActivationRequested { nonce, expires_at, at: at(2) }.into()
}

async fn profile(world: &World, user: UserId, first_name: &str) -> Event {
    let (subject, stream, name) = (Subject::User(user), User::stream(user), "user.profile_updated");
    let first_name = world.seal(subject, stream.clone(), name, "first_name", first_name).await;
    let last_name = world.seal(subject, stream, name, "last_name", "").await;
    ProfileUpdated { first_name, last_name }.into()
}

/// Acme, whose admin Ann has invited Eve; Bob and somebody without an account left their addresses.
async fn history(options: PgConnectOptions) -> World {
    let world = World::new(options).await;
    world.acme().await;
    let (subject, stream) = (Subject::Invitation(invitation(1)), Organization::stream(ACME));
    let name = "organization.invitation_sent";
    let address = world.seal(subject, stream, name, "address", "guest@example.com").await;
    let (role, inviter, nonce) = (Role::Editor, ANN, LinkNonce::new(1));
    let (invitation, expires_at, at) = (invitation(1), at(9), at(0));
    let sent = InvitationSent { invitation, address, role, inviter, nonce, expires_at, at };
    world.by::<Organization>(ANN, ACME, sent).await;
    let accepted = InvitationAccepted { invitation, user: EVE, inviter: ANN };
    world.by::<Organization>(EVE, ACME, accepted).await;
    world.joins(ACME, EVE, Role::Editor).await;
    let renamed = profile(&world, BOB, "Robert").await;
    from_somewhere(&world, BOB, Some(BOB), renamed).await;
    from_somewhere(&world, ANN, None, asked_again()).await;
    world
}

/// Everything that is shown to anybody, as one text.
async fn shown(world: &World) -> String {
    let mut all = String::new();
    for projection in keynest_projections::all() {
        for table in projection.tables() {
            let rows = format!("select coalesce(string_agg({table}::text, ' '), '') from {table}");
            let rows = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(rows));
            all.push_str(&rows.fetch_one(&world.read).await.unwrap());
        }
    }
    all
}

#[sqlx::test(migrations = false)]
async fn what_a_destroyed_key_had_opened_is_null_in_every_table(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = history(options).await;
    let canaries: [(Subject, &[&str]); 5] = [
        (Subject::User(BOB), &["bob@example.com", "Robert"]),
        (Subject::User(ANN), &["ann@example.com", "Ann"]),
        (Subject::Invitation(invitation(1)), &["guest@example.com"]),
        (Subject::Organization(ACME), &["Acme", "Shop", "Careful"]),
        (day(&world).await, &["192.0.2.7", "canary agent"]),
    ];
    world.catch_up().await;
    assert_rebuilt_equals_live(&world).await;
    let before = shown(&world).await;
    for (subject, canaries) in canaries {
        assert!(canaries.iter().all(|canary| before.contains(canary)), "{subject}: {before}");
        world.announces(subject).await;
        world.catch_up().await;
        assert_rebuilt_equals_live(&world).await;
        let after = shown(&world).await;
        for canary in canaries {
            assert!(!after.contains(canary), "{canary} after {subject}: {after}");
        }
    }
    let details: Vec<(String, Value)> = sqlx::query_as(
        "select action, details from audit_log where organization_id = $1 order by position limit 100",
    )
    .bind(ACME.get())
    .fetch_all(&world.read)
    .await
    .unwrap();
    let joined = json!({"joined_user_id": 2, "joined_user_email": null, "role": "viewer",
        "organization_id": 11, "organization_name": null});
    assert!(details.contains(&("create".to_owned(), joined)), "{details:?}");
    let destroyed = details.iter().filter(|(action, _)| action == "key_destroyed").count();
    assert_eq!(destroyed, 1, "the organization's own");
}

#[sqlx::test(migrations = false)]
async fn what_is_read_behind_a_destroyed_key_opens_as_little_as_in_a_rebuild(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = history(options).await;
    let late = profile(&world, BOB, "Bobby").await;
    let (subject, stream) = (Subject::Organization(ACME), Organization::stream(ACME));
    let name = world.seal(subject, stream, "organization.updated", "name", "Late").await;
    world.catch_up().await;
    // All within one batch: before, between, after; sealed while the keys were there.
    from_somewhere(&world, BOB, Some(BOB), profile(&world, BOB, "Robin").await).await;
    world.announces(Subject::User(BOB)).await;
    world.by::<User>(BOB, BOB, late).await;
    world.by::<User>(BOB, BOB, asked_again()).await;
    world.announces(Subject::Organization(ACME)).await;
    world.by::<Organization>(ANN, ACME, OrganizationUpdated { name, description: None }).await;
    world.catch_up().await;
    assert_rebuilt_equals_live(&world).await;
    let shown = shown(&world).await;
    assert!(
        !["Bobby", "Robin", "bob@", "Late", "Acme"].iter().any(|it| shown.contains(it)),
        "{shown}"
    );
}

#[sqlx::test(migrations = false)]
async fn a_crash_between_announcement_and_deed_is_mended_by_the_next_process(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = history(options).await;
    world.catch_up().await;
    let sealed = profile(&world, BOB, "Robert").await;
    let Event::User(user::Event::ProfileUpdated(sealed)) = sealed else { unreachable!() };
    let context =
        Context::new(Subject::User(BOB), User::stream(BOB), "user.profile_updated", "first_name");
    let opens = async |world: &World| {
        world.keyring.open(&context, &sealed.first_name).await.unwrap().is_some()
    };
    world.announces(Subject::User(BOB)).await;
    assert!(opens(&world).await, "announced and no more");
    let next = world.restarted().await;
    next.catch_up().await;
    assert!(!opens(&next).await && !opens(&world.restarted().await).await);
    assert_rebuilt_equals_live(&next).await;
    assert_eq!(next.queries.user(BOB).await.unwrap().unwrap().email, "");
}

#[sqlx::test(migrations = false)]
async fn a_process_with_the_key_in_memory_opens_nothing_once_it_passed_the_event(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = history(options).await;
    let other = world.restarted().await;
    other.catch_up().await;
    let sealed = profile(&world, BOB, "Robert").await;
    let Event::User(user::Event::ProfileUpdated(sealed)) = sealed else { unreachable!() };
    let context =
        Context::new(Subject::User(BOB), User::stream(BOB), "user.profile_updated", "first_name");
    let opened = other.keyring.open(&context, &sealed.first_name).await.unwrap();
    assert_eq!(**opened.unwrap(), *b"Robert");
    world.announces(Subject::User(BOB)).await;
    world.keyring.destroy(Subject::User(BOB)).await.unwrap();
    assert!(other.keyring.open(&context, &sealed.first_name).await.unwrap().is_some(), "in memory");
    other.catch_up().await;
    assert!(other.keyring.open(&context, &sealed.first_name).await.unwrap().is_none());
}
