//! A mailer that dies again and again: one mail per intent, and at most one more per death (THREATS I6).

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use super::server::Server;
use crate::world::World;

const INTENTS: usize = 20;
const DEATHS: usize = 4;

#[sqlx::test(migrations = false)]
async fn however_often_the_mailer_dies_no_mail_is_lost(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut server = Server::start(&[]).await;
    server.mailer(&world).await;
    for number in 0..INTENTS {
        world.register(&format!("person{number}"), "", "").await;
    }
    for death in 1..=DEATHS {
        let running = tokio::spawn(server.mailer(&world).await.run(CancellationToken::new()));
        // Dies wherever it is when the server has seen this much.
        while server.report().await.messages.len() < death * INTENTS / (DEATHS + 1) {}
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
    }
    server.mailer(&world).await.drain().await.unwrap();

    let report = server.report().await;
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for message in &report.messages {
        ids.entry(message.to.as_str()).or_default().push(message.header("Message-ID"));
    }
    assert_eq!(ids.len(), INTENTS, "nobody is left out");
    assert!(report.messages.len() <= INTENTS + DEATHS, "{} mails", report.messages.len());
    assert!(
        ids.values().all(|ids| ids.iter().all(|id| *id == ids[0])),
        "a repeat is known by its id"
    );
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}
