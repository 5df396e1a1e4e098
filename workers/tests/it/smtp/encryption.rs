//! Nothing leaves in clear, and nothing leaves to a server that is not the one that was named.

use keynest_workers::Transport;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::server::{Certificates, Server};
use crate::world::World;

const LOGIN: [&str; 2] = ["--login", "keynest:pass word"];

/// Tries to send one mail; says why it was put off.
async fn put_off(world: &World, name: &str, transport: Transport) -> Option<String> {
    let mailer = world.mailer_by(transport, true).await;
    world.register(name, "Ann", "").await;
    mailer.drain().await.unwrap();
    assert!(world.work.dead_letters().await.unwrap().is_empty(), "an operator can repair it");
    world.waiting("mailer").await.pop().map(|work| work.error)
}

#[sqlx::test(migrations = false)]
async fn a_mail_goes_out_by_starttls_with_a_sign_in(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("localhost");
    let mut server = Server::encrypted("starttls", &certificates, &LOGIN).await;
    let roots = certificates.authority();
    let transport = server.transport("smtp://keynest:pass%20word@", "", Some(&roots));
    assert_eq!(put_off(&world, "ann", transport).await, None);
    let [message] = server.report().await.messages.try_into().unwrap();
    assert!(message.tls);
    assert_eq!(message.user.as_deref(), Some("keynest"));
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("keynest@keynest.example", "ann@example.com")
    );
    assert_eq!(message.header("From"), "KeyNest <keynest@keynest.example>");
    assert_eq!(message.header("To"), "Ann <ann@example.com>");
    assert_eq!(message.header("Subject"), "Activate your KeyNest account");
    assert_eq!(message.header("Auto-Submitted"), "auto-generated");
    let id = message.header("Message-ID");
    assert!(id.contains(".activation.") && id.ends_with("@keynest.example>"), "{id}");
    assert!(message.header("Content-Type").starts_with("multipart/alternative"));
}

#[sqlx::test(migrations = false)]
async fn a_mail_goes_out_by_tls_from_the_start(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("localhost");
    let mut server = Server::encrypted("wrapped", &certificates, &LOGIN).await;
    let roots = certificates.authority();
    let transport = server.transport("smtps://keynest:pass%20word@", "", Some(&roots));
    assert_eq!(put_off(&world, "ann", transport).await, None);
    let [message] = server.report().await.messages.try_into().unwrap();
    assert!(message.tls);
    assert_eq!(message.user.as_deref(), Some("keynest"));
}

#[sqlx::test(migrations = false)]
async fn an_unknown_certificate_is_not_trusted(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("localhost");
    for (encryption, scheme) in [("starttls", "smtp://"), ("wrapped", "smtps://")] {
        let mut server = Server::encrypted(encryption, &certificates, &[]).await;
        let error = put_off(&world, encryption, server.transport(scheme, "", None)).await.unwrap();
        assert!(error.contains("invalid peer certificate"), "{encryption}: {error}");
        let report = server.report().await;
        assert!(report.messages.is_empty() && report.attempts.is_empty(), "{encryption}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_certificate_of_another_host_is_not_trusted(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("elsewhere.example");
    let roots = certificates.authority();
    for (encryption, scheme) in [("starttls", "smtp://"), ("wrapped", "smtps://")] {
        let mut server = Server::encrypted(encryption, &certificates, &[]).await;
        let error =
            put_off(&world, encryption, server.transport(scheme, "", Some(&roots))).await.unwrap();
        assert!(error.contains("invalid peer certificate"), "{encryption}: {error}");
        let report = server.report().await;
        assert!(report.messages.is_empty() && report.attempts.is_empty(), "{encryption}");
    }
}

#[sqlx::test(migrations = false)]
async fn without_starttls_nothing_is_sent_in_clear(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    let error = put_off(&world, "ann", server.transport("smtp://keynest:secret@", "", None)).await;
    assert!(error.unwrap().ends_with("STARTTLS is not supported on this server"));
    let report = server.report().await;
    assert!(report.greetings > 0, "it was asked");
    assert!(report.messages.is_empty() && report.attempts.is_empty());
}

#[sqlx::test(migrations = false)]
async fn a_refused_sign_in_waits_to_be_repaired(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("localhost");
    let mut server = Server::encrypted("wrapped", &certificates, &LOGIN).await;
    let roots = certificates.authority();
    let transport = server.transport("smtps://keynest:wrong@", "", Some(&roots));
    let error = put_off(&world, "ann", transport).await.unwrap();
    assert_eq!(error, "handle later: the mail server takes no mails from here (535)");
    assert!(server.report().await.messages.is_empty());
}
