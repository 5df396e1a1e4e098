//! What a mail server says no to, now or for good, letter by letter.

use std::time::Duration;

use keynest_domain::Lifetime;
use keynest_workers::{SmtpLimits, Transport};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::server::Server;
use crate::world::World;

const SOON: Lifetime = Lifetime::from_secs(10);

#[sqlx::test(migrations = false)]
async fn a_temporary_refusal_is_tried_again(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer(&world).await;
    world.register("later_once", "", "").await;
    mailer.drain().await.unwrap();
    let [work] = world.waiting("mailer").await.try_into().unwrap();
    assert_eq!(work.error, "handle later: the mail server does not take the mail now (451)");
    world.clock.advance(SOON);
    mailer.drain().await.unwrap();
    let report = server.report().await;
    assert_eq!(report.delivered(), ["later_once@example.com"]);
    assert_eq!(report.attempts["later_once@example.com"], 2);
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn a_server_that_goes_down_is_asked_again(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer(&world).await;
    world.register("closing_once", "", "").await;
    mailer.drain().await.unwrap();
    let [work] = world.waiting("mailer").await.try_into().unwrap();
    assert_eq!(work.error, "handle later: the mail server takes no mails from here (421)");
    world.clock.advance(SOON);
    mailer.drain().await.unwrap();
    assert_eq!(server.report().await.delivered(), ["closing_once@example.com"]);
}

#[sqlx::test(migrations = false)]
async fn a_server_that_is_away_loses_nothing(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let away = Server::start(&[]).await;
    let mailer = away.mailer(&world).await;
    drop(away);
    world.register("ann", "", "").await;
    world.register("bob", "", "").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.work.counts("mailer").await.unwrap(), (2, 0));
    let mut back = Server::start(&[]).await;
    let mailer = back.mailer(&world).await;
    world.clock.advance(SOON);
    mailer.drain().await.unwrap();
    assert_eq!(back.report().await.delivered(), ["ann@example.com", "bob@example.com"]);
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn a_permanent_refusal_is_a_dead_letter_and_not_tried_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer(&world).await;
    world.register("refused", "", "").await;
    world.register("ann", "", "").await;
    mailer.drain().await.unwrap();
    world.clock.advance(Lifetime::from_hours(12));
    mailer.drain().await.unwrap();
    let [dead] = world.work.dead_letters().await.unwrap().try_into().unwrap();
    assert_eq!(dead.error, "give up: the mail server refused for good (550)");
    let report = server.report().await;
    assert_eq!(report.attempts["refused@example.com"], 1);
    assert_eq!(report.delivered(), ["ann@example.com"], "others are not held up");
}

#[sqlx::test(migrations = false)]
async fn a_connection_that_breaks_after_the_final_dot_sends_the_same_mail_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer(&world).await;
    world.register("dropped_once", "", "").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.work.counts("mailer").await.unwrap(), (1, 0));
    world.clock.advance(SOON);
    mailer.drain().await.unwrap();
    let report = server.report().await;
    assert_eq!(report.delivered(), ["dropped_once@example.com"]);
    let [first, second] = report.messages.try_into().unwrap();
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
}

#[sqlx::test(migrations = false)]
async fn each_letter_of_an_event_has_its_own_outcome(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    for member in ["bob", "later_once", "refused_once"] {
        world.member(ann, acme, member).await;
    }
    let mailer = server.mailer(&world).await;
    world.project(ann, acme, "Shop").await;
    mailer.drain().await.unwrap();
    assert_eq!(server.report().await.delivered(), ["bob@example.com"]);
    assert_eq!(world.work.counts("mailer").await.unwrap(), (1, 0), "one may still arrive");

    world.clock.advance(SOON);
    mailer.drain().await.unwrap();
    let delivered = ["bob@example.com", "later_once@example.com"];
    assert_eq!(server.report().await.delivered(), delivered);
    let [dead] = world.work.dead_letters().await.unwrap().try_into().unwrap();
    assert_eq!(dead.error, "give up: it was refused for good before");

    world.work.replay(Some(dead.event_id), world.clock.now()).await.unwrap();
    mailer.drain().await.unwrap();
    let report = server.report().await;
    assert_eq!(report.delivered(), [delivered.as_slice(), &["refused_once@example.com"]].concat());
    assert!(report.attempts.values().all(|tries| *tries <= 2));
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn an_address_that_the_server_cannot_write_is_a_dead_letter(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut new = Server::start(&[]).await;
    let mailer = new.mailer(&world).await;
    world.register_as("joerg", "jörg", "", "").await;
    mailer.drain().await.unwrap();
    assert_eq!(new.report().await.delivered(), ["jörg@example.com"]);

    let mut old = Server::start(&["--ascii-only"]).await;
    let mailer = old.mailer(&world).await;
    world.register_as("aenne", "änne", "", "").await;
    world.register("ann", "", "").await;
    mailer.drain().await.unwrap();
    let [dead] = world.work.dead_letters().await.unwrap().try_into().unwrap();
    assert_eq!(dead.error, "give up: the mail server takes no such address");
    assert_eq!(old.report().await.delivered(), ["ann@example.com"]);
}

#[sqlx::test(migrations = false)]
async fn a_server_that_says_nothing_is_given_up_soon(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let limits = SmtpLimits { timeout: Duration::from_millis(50), connections_max: 1 };
    let transport = Transport::smtp(&url, "keynest@keynest.example", limits, None).unwrap();
    let mailer = world.mailer_by(transport, true).await;
    world.register("ann", "", "").await;
    mailer.drain().await.unwrap();
    let [work] = world.waiting("mailer").await.try_into().unwrap();
    assert_eq!(work.error, "handle later: the mail server takes too long");
}
