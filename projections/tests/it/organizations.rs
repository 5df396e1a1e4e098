//! Teams, members and invitations.

use keynest_crypto::Subject;
use keynest_domain::organization::*;
use keynest_domain::{Aggregate, LinkNonce, Role, UserId};
use keynest_projections::Page;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::*;

#[sqlx::test(migrations = false)]
async fn a_team_is_seen_by_its_members_only(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.organization(HOME, EVE, "Home").await;
    world.catch_up().await;
    let row = world.queries.organization(BOB, ACME).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.description.clone()), ("Acme", None));
    assert_eq!((row.member_count, row.project_count, row.role), (2, 1, Role::Viewer));
    assert_eq!(row.revision.get(), 3);
    assert_eq!(world.queries.organization(EVE, ACME).await.unwrap(), None);
    assert_eq!(world.queries.list_members(EVE, ACME).await.unwrap(), None);
    let listed = world.queries.list_organizations(EVE, FIRST).await.unwrap();
    assert_eq!((listed.total, listed.items[0].id), (1, HOME));
    let members = world.queries.list_members(BOB, ACME).await.unwrap().unwrap();
    assert_eq!((members.role, members.organization_name.as_str()), (Role::Viewer, "Acme"));
    let who: Vec<_> = members.members.iter().map(|m| (m.user, m.role, m.email.as_str())).collect();
    assert_eq!(
        who,
        [(ANN, Role::Admin, "ann@example.com"), (BOB, Role::Viewer, "bob@example.com")]
    );
    assert_eq!((members.members[0].joined_at, members.members[0].is_active), (at(11), true));
    let to = world.queries.recipients(ACME).await.unwrap();
    assert_eq!(to.iter().map(|recipient| recipient.user).collect::<Vec<_>>(), [ANN, BOB]);
}

#[sqlx::test(migrations = false)]
async fn every_event_of_the_team_moves_its_revision(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let subject = Subject::Organization(ACME);
    let stream = Organization::stream(ACME);
    let name = world.seal(subject, stream.clone(), "organization.updated", "name", "Acme 2").await;
    let text = world.seal(subject, stream, "organization.updated", "description", "Us").await;
    world.by::<Organization>(ANN, ACME, sent(&world, 1).await).await;
    let steps: [(Event, Option<Role>); 4] = [
        (OrganizationUpdated { name, description: Some(text) }.into(), Some(Role::Viewer)),
        (
            MemberRoleChanged { user: BOB, from: Role::Viewer, to: Role::Editor }.into(),
            Some(Role::Editor),
        ),
        (InvitationRevoked { invitation: invitation(1) }.into(), Some(Role::Editor)),
        (MemberRemoved { user: BOB, role: Role::Editor }.into(), None),
    ];
    for ((event, role), revision) in steps.into_iter().zip(5..) {
        world.by::<Organization>(ANN, ACME, event).await;
        world.catch_up().await;
        let row = world.queries.organization(ANN, ACME).await.unwrap().unwrap();
        assert_eq!(row.revision.get(), revision);
        let bob = world.queries.organization(BOB, ACME).await.unwrap();
        assert_eq!(bob.map(|row| row.role), role);
    }
    let row = world.queries.organization(ANN, ACME).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.description.as_deref()), ("Acme 2", Some("Us")));
}

#[sqlx::test(migrations = false)]
async fn nothing_of_a_deleted_team_is_reachable(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let created = world.created(PROD, 41, "KEY", "value").await;
    world.by::<keynest_domain::environment::Environment>(ANN, PROD, created).await;
    world.by::<Organization>(ANN, ACME, OrganizationDeleted {}).await;
    world.catch_up().await;
    let queries = &world.queries;
    assert_eq!(queries.organization(ANN, ACME).await.unwrap(), None);
    assert_eq!(queries.list_members(ANN, ACME).await.unwrap(), None);
    assert_eq!(queries.project(ANN, SHOP).await.unwrap(), None);
    assert_eq!(queries.environment(ANN, PROD).await.unwrap(), None);
    assert_eq!(queries.variable(ANN, keynest_domain::VariableId::new(41)).await.unwrap(), None);
    assert_eq!(queries.export(ANN, PROD).await.unwrap(), None);
    assert_eq!(queries.list_variables(ANN, Some(PROD), FIRST).await.unwrap().total, 0);
    assert_eq!(queries.list_projects(ANN, None, FIRST).await.unwrap().total, 0);
}

#[sqlx::test(migrations = false)]
async fn a_page_behind_the_end_still_knows_the_total(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    for number in 0..5 {
        let id = keynest_domain::OrganizationId::new(100 - number);
        world.organization(id, ANN, &format!("Team {number}")).await;
    }
    world.catch_up().await;
    let page = async |number| {
        let page = Page::new(number, 2);
        let listed = world.queries.list_organizations(ANN, page).await.unwrap();
        let past = listed.is_past_end(page);
        let names: Vec<_> = listed.items.into_iter().map(|row| row.name).collect();
        (listed.total, names.join(","), past)
    };
    assert_eq!(page(1).await, (5, "Team 0,Team 1".to_owned(), false));
    assert_eq!(page(3).await, (5, "Team 4".to_owned(), false));
    assert_eq!(page(4).await, (5, String::new(), true));
}

async fn sent(world: &World, number: u128) -> InvitationSent {
    let subject = Subject::Invitation(invitation(number));
    let stream = Organization::stream(ACME);
    let name = "organization.invitation_sent";
    InvitationSent {
        invitation: invitation(number),
        address: world.seal(subject, stream, name, "address", "zoe@example.com").await,
        role: Role::Editor,
        inviter: ANN,
        nonce: LinkNonce::new(1),
        expires_at: at(100),
        at: at(50 + i64::try_from(number).unwrap()),
    }
}

#[sqlx::test(migrations = false)]
async fn pending_invitations_are_shown_to_admins_until_they_are_answered(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    world.catch_up().await;
    let pending = async |user: UserId| {
        let pending = world.queries.pending_invitations(user, ACME).await.unwrap();
        pending.map(|rows| rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
    };
    assert_eq!(pending(ANN).await, Some(vec![]));
    for number in 1..=4 {
        world.by::<Organization>(ANN, ACME, sent(&world, number).await).await;
    }
    world.catch_up().await;
    let all: Vec<_> = (1..=4).map(invitation).collect();
    assert_eq!(pending(ANN).await, Some(all));
    assert_eq!(pending(BOB).await, None);
    assert_eq!(pending(EVE).await, None);
    let first = world.queries.pending_invitations(ANN, ACME).await.unwrap().unwrap().remove(0);
    assert_eq!((first.email.as_str(), first.role), ("zoe@example.com", Role::Editor));
    assert_eq!((first.inviter_name.as_str(), first.expires_at), ("Ann", at(100)));
    assert_eq!(world.queries.expired_invitations(at(99), 9).await.unwrap(), []);
    assert_eq!(world.queries.expired_invitations(at(100), 9).await.unwrap().len(), 4);

    let answers: [Event; 3] = [
        InvitationAccepted { invitation: invitation(1), user: EVE, inviter: ANN }.into(),
        InvitationRevoked { invitation: invitation(2) }.into(),
        InvitationExpired { invitation: invitation(3) }.into(),
    ];
    for answer in answers {
        world.happens::<Organization>(ACME, answer).await;
    }
    world.catch_up().await;
    assert_eq!(pending(ANN).await, Some(vec![invitation(4)]));
    let due = world.queries.expired_invitations(at(100), 9).await.unwrap();
    assert_eq!(due, [(ACME, invitation(4))]);
}
