//! Mails about a team: invitation, joining, roles, removal.

use insta::assert_snapshot;
use keynest_commands::organization::{AcceptInvitation, RemoveMember, UpdateMemberRole};
use keynest_domain::Role;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::shown::{link, parts, shown};
use crate::world::World;

#[sqlx::test(migrations = false)]
async fn an_invitation_is_mailed_and_its_link_joins(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    world.person("bob").await;
    let acme = world.team(ann, "Acme").await;
    world.member(ann, acme, "eve").await;
    let mailer = world.mailer().await;
    world.invite(ann, acme, "bob").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["invite_member to bob@example.com"]);
    let mail = world.mail("invite_member", "bob@example.com").await;
    assert_snapshot!("invite_member", shown(&mail));

    let [path, token] = parts(&link(&mail)).try_into().unwrap();
    assert_eq!(path, "accept-invitation");
    let wish = AcceptInvitation { token };
    world.commands.accept_invitation(&world.anyone(), wish).await.unwrap();
    mailer.drain().await.unwrap();
    let sent = [
        "invite_member to bob@example.com",
        "member_joined to ann@example.com",
        "member_joined to eve@example.com",
    ];
    assert_eq!(world.sent().await, sent, "all members but the new one");
    assert_snapshot!("member_joined", shown(&world.mail("member_joined", "eve@example.com").await));
}

#[sqlx::test(migrations = false)]
async fn a_new_role_and_a_removal_are_told_to_the_member(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    let bob = world.member(ann, acme, "bob").await;
    world.member(ann, acme, "eve").await;
    let mailer = world.mailer().await;
    let origin = world.as_user(ann);
    let wish = UpdateMemberRole { organization: acme, user: bob, role: Role::Editor };
    world.commands.update_member_role(&origin, wish).await.unwrap();
    let wish = RemoveMember { organization: acme, user: bob };
    world.commands.remove_member(&origin, wish).await.unwrap();
    mailer.drain().await.unwrap();
    let sent = ["member_removed to bob@example.com", "role_changed to bob@example.com"];
    assert_eq!(world.sent().await, sent);
    assert_snapshot!("role_changed", shown(&world.mail("role_changed", "bob@example.com").await));
    assert_snapshot!(
        "member_removed",
        shown(&world.mail("member_removed", "bob@example.com").await)
    );
}
