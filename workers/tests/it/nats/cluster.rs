//! Three servers that keep a copy each: one of them dies under load.

use async_nats::jetstream;
use keynest_workers::{JetStream, NatsSettings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{AtWork, positions, settings_for, until};
use crate::nats_server::NatsServer;
use crate::world::World;

/// The stream with its copies, as soon as it has a leader and all of them are there.
async fn led(observer: &jetstream::Context) -> Option<String> {
    let stream = observer.get_stream("keynest").await.ok()?;
    let cluster = stream.cached_info().cluster.as_ref()?;
    let are_there = cluster.replicas.len() == 2 && cluster.replicas.iter().all(|it| it.current);
    cluster.leader.clone().filter(|_| are_there)
}

#[sqlx::test(migrations = false)]
async fn one_of_three_servers_dies_under_load_and_nothing_is_lost_or_doubled(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut servers = NatsServer::start_cluster();
    let urls: Vec<String> = servers.iter().map(NatsServer::url).collect();
    let settings = NatsSettings { stream_replicas: 3, ..settings_for(&urls.join(",")) };
    let jetstream = JetStream::connect(settings).await.unwrap();
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    let everywhere: Vec<async_nats::ServerAddr> =
        urls.iter().map(|it| it.parse().unwrap()).collect();
    let client = async_nats::connect(everywhere).await.unwrap();
    let observer = jetstream::new(client);
    until(async || led(&observer).await.is_some()).await;
    super::is_pulled(&observer, "probe").await;

    let leader = led(&observer).await.unwrap();
    for number in 0..300 {
        world.append([number]).await;
        if number == 100 {
            let leads = servers.iter_mut().find(|it| it.name() == leader).unwrap();
            leads.kill();
        }
    }
    at_work.arrives(0..300).await;
    let head = world.store.head().await.unwrap().to_stored();
    until(async || positions(&super::messages(&observer).await).last() == Some(&head)).await;
    let stands = positions(&super::messages(&observer).await);
    assert!(stands.is_sorted_by(|one, next| one + 1 == *next), "{stands:?}");
    // Told by NATS again, not by the log.
    super::is_pulled(&observer, "probe").await;
    world.append([300]).await;
    at_work.arrives([300]).await;
    // Many under way at a time, each behind the one before.
    world.append(301..500).await;
    let head = world.store.head().await.unwrap().to_stored();
    until(async || positions(&super::messages(&observer).await).last() == Some(&head)).await;
    at_work.arrives(301..500).await;
    assert_eq!(at_work.stop().await, (0..500).collect::<Vec<_>>());
}
