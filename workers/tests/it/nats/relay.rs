//! What stands in the stream: every event once, in order, as a CloudEvent; whoever writes it, and whatever was there before.

use insta::assert_snapshot;
use keynest_domain::{OrganizationId, StreamName};
use keynest_store::{Append, Expected, Metadata, StreamAppend};
use keynest_workers::{JetStream, NatsSettings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::gate::Gate;
use super::{Nats, positions, relay, settings, until};
use crate::carrier::probe::{Answer, Probe, numbered};
use crate::world::World;

impl World {
    /// Appends one wanted event to a stream of this category, in an organization.
    async fn append_in(&self, category: &str, organization: u64) {
        let organization: OrganizationId = organization.to_string().parse().unwrap();
        let (stream, events) = (StreamName::new(category, organization), vec![numbered(1)]);
        let streams = vec![StreamAppend { stream, expected: Expected::Any, events }];
        let command_id = self.clock.command_id();
        let (checks, claims, releases) = (Vec::new(), Vec::new(), Vec::new());
        let metadata = Metadata { organization: Some(organization), ..Metadata::default() };
        let append = Append { command_id, streams, checks, claims, releases, metadata };
        self.store.append(append).await.unwrap();
    }

    /// Waits until the stream goes up to the head of the log.
    pub async fn relayed(&self) {
        let head = self.store.head().await.unwrap().to_stored();
        until(async || positions(&self.nats().messages().await).last() == Some(&head)).await;
    }

    /// Takes the lead from the relay that has it, if one has.
    async fn end_lead(&self) -> bool {
        let ended: Vec<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
             and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        ended == [true]
    }

    /// The positions in the log, all of them.
    async fn log(&self) -> Vec<u64> {
        (1..=self.store.head().await.unwrap().to_stored()).collect()
    }
}

#[sqlx::test(migrations = false)]
async fn every_event_stands_in_the_stream_once_and_in_order(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::over_jetstream(connect).await;
    let probe = Probe::new("probe", |_| Answer::Done);
    world.consumer(&probe).await;
    world.append(0..300).await;
    world.append(300..310).await;
    world.relayed().await;
    assert_eq!(positions(&world.nats().messages().await), world.log().await);
}

#[sqlx::test(migrations = false)]
async fn a_message_is_a_cloud_event(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::over_jetstream(connect).await;
    world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
    world.append_in("project", 77).await;
    world.relayed().await;
    let [message] = world.nats().messages().await.try_into().unwrap();
    let log = world.store.read_all(Default::default(), 10).await.unwrap();
    assert_eq!(message.payload, log[0].data);
    let mut headers: Vec<String> = message
        .headers
        .iter()
        .map(|(name, values)| format!("{name}: {}", values[0].as_str()))
        .collect();
    headers.sort();
    let life = world.store.incarnation().get().to_string();
    let shown = format!("{}\n{}", message.subject, headers.join("\n"))
        .replace(&log[0].event_id.to_string(), "[event]")
        .replace(&log[0].recorded_at.iso(), "[time]")
        .replace(&life, "[life]");
    assert_snapshot!(shown);
}

#[sqlx::test(migrations = false)]
async fn reveals_stay_out_unless_they_are_asked_for(_: PgPoolOptions, connect: PgConnectOptions) {
    for (is_asked_for, relayed) in [(false, vec![1, 3]), (true, vec![1, 2, 3])] {
        let world = World::new(connect.clone()).await;
        sqlx::query("truncate events, streams, commands, consumers")
            .execute(&world.pool)
            .await
            .unwrap();
        sqlx::query("update log set position = 0").execute(&world.pool).await.unwrap();
        let nats = Nats::without_relay().await;
        let settings = NatsSettings { has_access_events: is_asked_for, ..settings(&nats.server) };
        world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
        for category in ["project", "access", "project"] {
            world.append_in(category, 7).await;
        }
        let jetstream = JetStream::connect(settings).await.unwrap();
        let _relay = relay(jetstream, &world.store, &world.pool);
        until(async || positions(&nats.messages().await) == relayed).await;
    }
}

/// A stream without messages that remembers their ids: what begins again at the lowest place of a consumer is not taken twice.
#[sqlx::test(migrations = false)]
async fn what_the_stream_has_had_it_does_not_take_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let nats = Nats::without_relay().await;
    world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
    let first = relay(nats.jetstream.clone(), &world.store, &world.pool);
    world.append(0..10).await;
    until(async || nats.messages().await.len() == 20).await;
    drop(first);
    let stream = nats.observer.get_stream("keynest").await.unwrap();
    stream.purge().await.unwrap();
    world.append([10]).await;
    let _second = relay(nats.jetstream.clone(), &world.store, &world.pool);
    until(async || positions(&nats.messages().await).last() == Some(&22)).await;
    assert_eq!(positions(&nats.messages().await), [21, 22]);
}

/// The first relay is cut off while messages of it are under way; a second one leads and begins the stream anew, since
/// somebody deletes it. Then the first one's messages arrive.
#[sqlx::test(migrations = false)]
async fn a_relay_that_was_held_up_writes_nothing_between_the_messages_of_the_next(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let nats = Nats::without_relay().await;
    let probe = Probe::new("probe", |_| Answer::Done);
    world.consumer(&probe).await;
    let gate = Gate::before(nats.server.port()).await;
    let slow = NatsSettings { url: gate.url().into(), ..settings(&nats.server) };
    let slow = JetStream::connect(slow).await.unwrap();
    let first = relay(slow.clone(), &world.store, &world.pool);
    world.append([1]).await;
    until(async || nats.messages().await.len() == 2).await;

    gate.close();
    world.append([2]).await;
    gate.has_held().await;
    drop(first);
    world.restarted(&probe).drain().await.unwrap();
    nats.observer.delete_stream("keynest").await.unwrap();
    world.append([3, 4]).await;
    let _second = relay(nats.jetstream.clone(), &world.store, &world.pool);
    until(async || nats.messages().await.len() == 4).await;
    gate.open();
    gate.has_answered().await;
    world.append([5]).await;
    until(async || positions(&nats.messages().await).last() == Some(&10)).await;
    assert_eq!(positions(&nats.messages().await), [5, 6, 7, 8, 9, 10]);
}

/// The lead is taken away again and again while events are appended: for a moment two relays write.
#[sqlx::test(migrations = false)]
async fn relays_that_take_over_from_each_other_leave_no_hole(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::over_jetstream(connect).await;
    world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
    let _other = relay(world.nats().jetstream.clone(), &world.store, &world.pool);
    for round in 0..5 {
        world.append([round]).await;
        world.relayed().await;
        until(async || world.end_lead().await).await;
        for number in 0..20 {
            world.append([number]).await;
        }
    }
    world.relayed().await;
    assert_eq!(positions(&world.nats().messages().await), world.log().await);
}
