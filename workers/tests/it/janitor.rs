//! What the janitor ends, forgets and destroys, by the clock.

use keynest_commands::login::LogIn;
use keynest_crypto::{Password, Subject};
use keynest_domain::organization::Organization;
use keynest_domain::session::Session;
use keynest_domain::{CommandId, EventId, Lifetime, StreamName};
use keynest_projections::{Projections, Queries, ReadOptions};
use keynest_store::postgres::PostgresIdempotency;
use keynest_store::{Begun, IdempotencyTable};
use keynest_workers::{DAY_KEYS_KEPT, Janitor, JanitorSettings, KeyLedger};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::{PASSWORD, World, email};

pub struct Tidy {
    janitor: Janitor,
    pub projections: Projections,
    idempotency: IdempotencyTable,
}

impl Tidy {
    pub async fn new(world: &World, batch: u32) -> Self {
        let limits = ReadOptions { connections_max: 4, ..ReadOptions::default() };
        let read =
            keynest_projections::connect_read_pool(world.connect.clone(), &limits).await.unwrap();
        keynest_projections::migrate(&read).await.unwrap();
        let keyring = world.commands.keyring().clone();
        let projections = Projections::new(world.store.clone(), keyring, read.clone());
        let idempotency = IdempotencyTable::Postgres(PostgresIdempotency::new(world.pool.clone()));
        let settings = JanitorSettings { batch, ..JanitorSettings::default() };
        let janitor = Janitor::new(
            world.commands.clone(),
            Queries::new(read),
            idempotency.clone(),
            world.pool.clone(),
            settings,
        );
        Self { janitor, projections, idempotency }
    }

    pub fn with_ledger(self, ledger: KeyLedger) -> Self {
        Self { janitor: self.janitor.with_ledger(ledger), ..self }
    }

    pub async fn round(&self) {
        self.projections.catch_up().await.unwrap();
        self.janitor.round().await;
    }
}

async fn count(world: &World, table: &'static str) -> i64 {
    let count = match table {
        "effects" => "select count(*) from effects",
        "idempotency" => "select count(*) from idempotency",
        "events of the janitor" => "select count(*) from events where type = 'session.ended'",
        other => panic!("{other}"),
    };
    sqlx::query_scalar(count).fetch_one(&world.pool).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn overdue_invitations_expire_and_free_their_addresses(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let teams = [world.team(ann, "Acme").await, world.team(ann, "Blue").await];
    let tidy = Tidy::new(&world, 10).await;
    for team in teams {
        world.invite(ann, team, "one").await;
        world.invite(ann, team, "two").await;
    }
    world.clock.advance(Lifetime::from_days(5));
    let young = world.invite(ann, teams[0], "three").await;
    world.clock.advance(Lifetime::from_days(3));
    tidy.round().await;
    let first = world.commands.read::<Organization>(teams[0]).await.unwrap();
    assert_eq!(first.pending.keys().copied().collect::<Vec<_>>(), [young]);
    assert!(world.commands.read::<Organization>(teams[1]).await.unwrap().pending.is_empty());
    world.invite(ann, teams[1], "one").await;
}

#[sqlx::test(migrations = false)]
async fn overdue_sessions_end_some_in_each_round(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    world.person("ann").await;
    let tidy = Tidy::new(&world, 2).await;
    let log_in = || async {
        let password = Password::presented(PASSWORD).unwrap();
        let wish = LogIn { email: email("ann"), password };
        world
            .commands
            .log_in(&world.anyone(), wish)
            .await
            .unwrap()
            .outcome
            .session()
            .unwrap()
            .session
    };
    let overdue = [log_in().await, log_in().await, log_in().await];
    world.clock.advance(Lifetime::from_days(8));
    let fresh = log_in().await;
    let is_over = async |session| world.commands.read::<Session>(session).await.unwrap().has_ended;
    tidy.round().await;
    assert_eq!(count(&world, "events of the janitor").await, 2);
    tidy.round().await;
    tidy.round().await;
    assert_eq!(count(&world, "events of the janitor").await, 3);
    for session in overdue {
        assert!(is_over(session).await);
    }
    assert!(!is_over(fresh).await);
}

#[sqlx::test(migrations = false)]
async fn old_bookkeeping_is_forgotten_batch_by_batch(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let tidy = Tidy::new(&world, 2).await;
    let id = || world.clock.command_id();
    for key in ["a", "b", "c", "d", "e"] {
        let now = world.clock.now();
        tidy.idempotency.begin("1", "POST /", key, b"digest", id(), now).await.unwrap();
        let event = EventId::new(id().get());
        world.effects.begin(event, "welcome", key, "<a>", now).await.unwrap();
    }
    world.clock.advance(Lifetime::from_hours(25));
    tidy.round().await;
    assert_eq!((count(&world, "idempotency").await, count(&world, "effects").await), (0, 5));
    world.clock.advance(Lifetime::from_days(30));
    let young = CommandId::new(id().get());
    let now = world.clock.now();
    let begun = tidy.idempotency.begin("1", "POST /", "a", b"digest", young, now).await.unwrap();
    assert_eq!(begun, Begun::Fresh(young));
    tidy.round().await;
    assert_eq!((count(&world, "idempotency").await, count(&world, "effects").await), (1, 0));
}

#[sqlx::test(migrations = false)]
async fn effects_of_work_that_may_be_replayed_are_kept(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let tidy = Tidy::new(&world, 10).await;
    let event = EventId::new(world.clock.command_id().get());
    world.effects.begin(event, "welcome", "7", "<a>", world.clock.now()).await.unwrap();
    sqlx::query(
        "insert into work (durable, position, event_id, event_name, attempts, due_at, error, is_dead, created_at)
         values ('mailer', 1, $1, 'user.activated', 1, now(), '', true, now())",
    )
    .bind(event.get())
    .execute(&world.pool)
    .await
    .unwrap();
    world.clock.advance(Lifetime::from_days(31));
    tidy.round().await;
    assert_eq!(count(&world, "effects").await, 1);
    sqlx::query("truncate work").execute(&world.pool).await.unwrap();
    tidy.round().await;
    assert_eq!(count(&world, "effects").await, 0);
}

#[sqlx::test(migrations = false)]
async fn keys_of_days_long_past_are_destroyed(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let tidy = Tidy::new(&world, 10).await;
    let keyring = world.commands.keyring();
    let today = || u32::try_from(world.clock.now().seconds() / 86_400).unwrap();
    let context = |day| {
        let stream = StreamName::new("client", "request");
        keynest_crypto::Context::new(Subject::Day(day), stream, "metadata", "x")
    };
    let first = today();
    let mut sealed = Vec::new();
    for day in [first, first + 1] {
        sealed.push((day, keyring.seal(&context(day), b"192.0.2.1").await.unwrap()));
    }
    let kept_days = DAY_KEYS_KEPT.secs() / 86_400;
    world.clock.advance(Lifetime::from_days(kept_days));
    tidy.round().await;
    for (day, value) in &sealed {
        assert!(keyring.open(&context(*day), value).await.unwrap().is_some(), "not yet");
    }
    world.clock.advance(Lifetime::from_days(1));
    tidy.round().await;
    assert!(keyring.open(&context(first), &sealed[0].1).await.unwrap().is_none());
    assert!(keyring.open(&context(first + 1), &sealed[1].1).await.unwrap().is_some());
}
