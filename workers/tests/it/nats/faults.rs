//! NATS does not behave: nothing is lost, nothing comes twice, and it carries the feed again afterwards.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::StreamMessage;
use keynest_workers::{JetStream, NatsSettings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{AtWork, Nats, arrival, consumer, is_pulled, positions, settings, until};
use crate::carrier::lead::running;
use crate::carrier::probe::{Answer, Probe};
use crate::smtp::server::Server;
use crate::world::World;

impl Nats {
    async fn consumer(&self) -> PullConsumer {
        consumer(&self.observer, "probe").await.unwrap()
    }

    async fn is_pulled(&self) {
        is_pulled(&self.observer, "probe").await;
    }
}

#[sqlx::test(migrations = false)]
async fn a_consumer_that_was_deleted_is_made_again(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::over_jetstream(connect).await;
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Done);
    let (stop, task) = running(world.consumer(&probe).await);
    world.nats().is_pulled().await;
    world.append([1]).await;
    assert_eq!(arrival(&mut arrivals).await, 1);
    let stream = world.nats().observer.get_stream("keynest").await.unwrap();
    stream.delete_consumer("probe").await.unwrap();
    world.append([2]).await;
    assert_eq!(arrival(&mut arrivals).await, 2);
    world.nats().is_pulled().await;
    world.append([3]).await;
    assert_eq!(arrival(&mut arrivals).await, 3);
    stop.cancel();
    task.await.unwrap();
    assert_eq!(probe.handled(), [1, 2, 3]);
}

#[sqlx::test(migrations = false)]
async fn nothing_is_acknowledged_before_its_effect(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::over_jetstream(connect).await;
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Wait);
    let (stop, task) = running(world.consumer(&probe).await);
    world.nats().is_pulled().await;
    world.append([1]).await;
    assert_eq!(arrival(&mut arrivals).await, 1);
    let mut consumer = world.nats().consumer().await;
    until(async || consumer.clone().info().await.unwrap().delivered.stream_sequence == 2).await;
    // Acknowledgements and questions go over different connections: what was said before is known after another round.
    world.relayed().await;
    assert_eq!(consumer.info().await.unwrap().ack_floor.stream_sequence, 0);
    probe.gate.notify_one();
    until(async || consumer.clone().info().await.unwrap().ack_floor.stream_sequence == 2).await;
    stop.cancel();
    task.await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn a_hole_is_read_from_the_log(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::over_jetstream(connect).await;
    let few = NatsSettings { unacknowledged_max: 16, ..settings(&world.nats().server) };
    let jetstream = JetStream::connect(few).await.unwrap();
    let mut at_work = AtWork::start(&world, jetstream, |number| match number {
        1 => Answer::Wait,
        _ => Answer::Done,
    })
    .await;
    world.nats().is_pulled().await;
    world.append([1]).await;
    at_work.arrives([1]).await;
    world.append(2..=40).await;
    world.relayed().await;
    let stream = world.nats().observer.get_stream("keynest").await.unwrap();
    for sequence in 40..=60 {
        stream.delete_message(sequence).await.unwrap();
    }
    at_work.probe.gate.notify_one();
    at_work.arrives(2..=40).await;
    at_work.stop().await;
}

/// Writes into the stream as a relay does, but for what only a relay knows.
async fn forge(world: &World, position: &str) {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("ce-id", "0198c000-0000-7000-8000-00000000000f");
    headers.insert("ce-position", position);
    headers.insert("ce-previous", "0");
    headers.insert("ce-incarnation", world.store.incarnation().get().to_string().as_str());
    let subject = "keynest.events._.login-1.login.unlocked";
    let sent = world.nats().observer.publish_with_headers(subject, headers, "{}".into()).await;
    sent.unwrap().await.unwrap();
}

/// Where the messages of the relay stand; those of others have another id.
async fn genuine(world: &World) -> Vec<u64> {
    let log = world.store.read_all(Default::default(), 1_000).await.unwrap();
    let ids: Vec<String> = log.iter().map(|it| it.event_id.to_string()).collect();
    let messages = world.nats().messages().await.into_iter();
    let id = |message: &StreamMessage| Some(message.headers.get("ce-id")?.as_str().to_owned());
    let place = |id: String| ids.iter().position(|known| *known == id);
    messages.filter_map(|message| place(id(&message)?)).map(|place| place as u64 + 1).collect()
}

#[sqlx::test(migrations = false)]
async fn what_somebody_else_writes_into_the_stream_is_not_believed(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::over_jetstream(connect).await;
    let nats = world.nats().jetstream.clone();
    let mut at_work = AtWork::start(&world, nats, |_| Answer::Done).await;
    world.nats().is_pulled().await;
    world.append([1]).await;
    at_work.arrives([1]).await;
    let mut number = 1;
    // Long past, of the next event and of one after it, out of reach, beyond what a number of the log can be, none.
    for position in ["1", "next", "after", "9999999", "18446744073709551615", "nonsense"] {
        let head = world.store.head().await.unwrap().to_stored();
        let named = match position {
            "next" => (head + 1).to_string(),
            "after" => (head + 3).to_string(),
            other => other.to_owned(),
        };
        forge(&world, &named).await;
        for _ in 0..2 {
            number += 1;
            world.append([number]).await;
            at_work.arrives([number]).await;
        }
    }
    // The relay left nothing out, and the consumer can let go of everything.
    let head = world.store.head().await.unwrap().to_stored();
    let all: Vec<u64> = (1..=head).collect();
    until(async || genuine(&world).await == all).await;
    until(async || {
        let mut stream = world.nats().observer.get_stream("keynest").await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        world.nats().consumer().await.info().await.unwrap().ack_floor.stream_sequence == last
    })
    .await;
    assert_eq!(at_work.stop().await, (1..=number).collect::<Vec<_>>());
}

/// The carrier is switched on for a consumer that has a place already: what it missed stands in the stream before its
/// durable is made, and nobody tells of it.
#[sqlx::test(migrations = false)]
async fn what_was_there_before_the_first_attachment_is_read_from_the_log(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::over_jetstream(connect).await;
    world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
    world.append([1, 2]).await;
    world.relayed().await;
    assert!(consumer(&world.nats().observer, "probe").await.is_none());
    let nats = world.nats().jetstream.clone();
    let mut at_work = AtWork::start(&world, nats, |_| Answer::Done).await;
    at_work.arrives([1, 2]).await;
    assert_eq!(at_work.stop().await, [1, 2]);
}

/// Deleted streams, killed servers and empty ones, while people register: one mail each.
#[sqlx::test(migrations = false)]
async fn wiping_nats_under_load_loses_nothing_and_doubles_no_mail(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let mut world = World::over_jetstream(connect).await;
    let mut smtp = Server::start(&[]).await;
    let (stop, task) = running(smtp.mailer(&world).await);
    let mut people = Vec::new();
    for round in 0..8 {
        for person in 0..3 {
            let name = format!("person{round}x{person}");
            world.register(&name, "", "").await;
            people.push(format!("{name}@example.com"));
        }
        let nats = world.nats.as_mut().unwrap();
        // Killed in the round before; there is nothing to keep.
        if round % 4 == 0 && round > 0 {
            nats.server.restart_empty();
        }
        match round % 4 {
            0 => drop(nats.observer.delete_stream("keynest").await),
            1 => nats.server.restart_empty(),
            2 => nats.server.restart(),
            _ => nats.server.kill(),
        }
    }
    world.nats.as_mut().unwrap().server.restart_empty();
    is_pulled(&world.nats().observer, "mailer").await;
    world.register("last", "", "").await;
    people.push("last@example.com".to_owned());
    people.sort();
    until(async || smtp_has(&world, people.len()).await).await;
    world.relayed().await;
    stop.cancel();
    task.await.unwrap();
    assert_eq!(smtp.report().await.delivered(), people);
    let kept = positions(&world.nats().messages().await);
    assert!(kept.is_sorted_by(|one, next| one + 1 == *next), "a hole in {kept:?}");
}

/// Whether the mailer has finished so many letters.
async fn smtp_has(world: &World, letters: usize) -> bool {
    let done: i64 = sqlx::query_scalar("select count(*) from effects where done_at is not null")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    done >= i64::try_from(letters).unwrap()
}

/// It keeps the connections and says nothing: the log is asked instead, and commands do not notice.
#[sqlx::test(migrations = false)]
async fn a_paused_server_delays_no_event_for_longer_than_a_poll(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let nats = Nats::without_relay().await;
    let patient = NatsSettings {
        heartbeat: Duration::from_secs(60),
        poll: Duration::from_millis(200),
        ..settings(&nats.server)
    };
    let jetstream = JetStream::connect(patient).await.unwrap();
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    nats.is_pulled().await;
    nats.server.pause();
    world.append([1]).await;
    at_work.arrives([1]).await;
    nats.server.resume();
    until(async || positions(&nats.messages().await).last() == Some(&2)).await;
    world.append([2]).await;
    at_work.arrives([2]).await;
    assert_eq!(at_work.stop().await, [1, 2]);
}

#[sqlx::test(migrations = false)]
async fn a_server_that_is_not_there_at_the_start_is_found_later(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mut nats = Nats::without_relay().await;
    nats.server.kill();
    let jetstream = JetStream::connect(settings(&nats.server)).await.unwrap();
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    world.append([1]).await;
    // Read from the log meanwhile.
    at_work.arrives([1]).await;
    nats.server.restart();
    nats.is_pulled().await;
    world.append([2]).await;
    at_work.arrives([2]).await;
    at_work.stop().await;
}
