//! Mails that nobody needs any more when their turn comes.

use keynest_commands::organization::{DeleteOrganization, RevokeInvitation};
use keynest_domain::Lifetime;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::{World, email};

#[sqlx::test(migrations = false)]
async fn a_link_that_was_used_expired_or_replaced_is_not_mailed(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mailer = world.mailer().await;
    world.register("used", "", "").await;
    world.activate(world.id_of("used").await).await;
    world.register("expired", "", "").await;
    world.clock.advance(Lifetime::from_hours(25));
    world.register("replaced", "", "").await;
    world.clock.advance(Lifetime::from_hours(2));
    world.commands.resend_activation(&world.anyone(), email("replaced")).await.unwrap();
    mailer.drain().await.unwrap();
    let sent = ["activation to replaced@example.com", "welcome to used@example.com"];
    assert_eq!(world.sent().await, sent, "the newest link only");
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn a_reset_link_that_expired_is_not_mailed(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    world.person("ann").await;
    let mailer = world.mailer().await;
    world.commands.request_password_reset(&world.anyone(), email("ann")).await.unwrap();
    world.clock.advance(Lifetime::from_minutes(31));
    mailer.drain().await.unwrap();
    assert!(world.sent().await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn an_invitation_that_was_revoked_accepted_or_expired_is_not_mailed(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    world.person("bob").await;
    let mailer = world.mailer().await;
    let invitation = world.invite(ann, acme, "revoked").await;
    let wish = RevokeInvitation { organization: acme, invitation };
    world.commands.revoke_invitation(&world.as_user(ann), wish).await.unwrap();
    let invitation = world.invite(ann, acme, "bob").await;
    world.accept(acme, invitation).await;
    mailer.drain().await.unwrap();
    world.invite(ann, acme, "expired").await;
    world.clock.advance(Lifetime::from_days(8));
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["member_joined to ann@example.com"]);
}

#[sqlx::test(migrations = false)]
async fn of_a_deleted_organization_nothing_is_mailed(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    world.member(ann, acme, "bob").await;
    let mailer = world.mailer().await;
    world.project(ann, acme, "Shop").await;
    world.invite(ann, acme, "eve").await;
    let wish = DeleteOrganization { organization: acme };
    world.commands.delete_organization(&world.as_user(ann), wish).await.unwrap();
    mailer.drain().await.unwrap();
    assert!(world.sent().await.is_empty());
}
