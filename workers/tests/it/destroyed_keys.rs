//! Destroyed keys: the log says it, the ledger keeps it, no process and no restored backup opens under them.

use std::path::PathBuf;
use std::time::Duration;

use keynest_commands::{Clock, Commands, Origin};
use keynest_crypto::{Context, PasswordHasher, Subject};
use keynest_domain::key::{DataKey, KeyDestroyed};
use keynest_domain::user::Standing;
use keynest_domain::{Aggregate, KeyId, Lifetime, Sealed, StreamName};
use keynest_store::{Position, Revision};
use keynest_workers::{
    DAY_KEYS_KEPT, DestroyedKey, KeyLedger, apply_ledger, follow_destroyed_keys,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::janitor::Tidy;
use crate::world::World;

/// A ledger of its own for each test; its folder goes when the test has passed.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("keynest-keys-{:032x}", keynest_crypto::random::bits128());
        Self(std::env::temp_dir().join(name))
    }

    fn ledger(&self) -> KeyLedger {
        KeyLedger::open(&self.0.join("destroyed-keys.log")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn place(subject: Subject) -> Context {
    Context::new(subject, StreamName::new("client", "request"), "metadata", "x")
}

async fn seal(world: &World, subject: Subject) -> Sealed {
    world.commands.keyring().seal(&place(subject), b"192.0.2.1").await.unwrap()
}

async fn opens(commands: &Commands, subject: Subject, sealed: &Sealed) -> bool {
    commands.keyring().open(&place(subject), sealed).await.unwrap().is_some()
}

/// How often the log says that a key is destroyed.
async fn said(world: &World, key: KeyId) -> usize {
    world.store.read_stream(&DataKey::stream(key), Revision::NONE).await.unwrap().len()
}

fn today(world: &World) -> Subject {
    Subject::Day(u32::try_from(world.clock.now().seconds() / 86_400).unwrap())
}

#[sqlx::test(migrations = false)]
async fn a_day_key_that_is_too_old_is_in_the_log_and_in_the_ledger(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let (world, folder) = (World::new(connect).await, Folder::new());
    let tidy = Tidy::new(&world, 10).await.with_ledger(folder.ledger());
    world.register("ann", "Ann", "").await;
    let subject = today(&world);
    let key = world.commands.keyring().key_of(subject).await.unwrap().unwrap();
    tidy.round().await;
    assert_eq!((said(&world, key).await, folder.ledger().keys()), (0, vec![]));
    world.clock.advance(DAY_KEYS_KEPT);
    world.clock.advance(Lifetime::from_days(1));
    for _ in 0..2 {
        tidy.round().await;
        assert_eq!(said(&world, key).await, 1);
        assert_eq!(folder.ledger().keys(), [DestroyedKey { key, subject }]);
    }
    tidy.projections.catch_up().await.unwrap();
    for projection in keynest_projections::all() {
        for table in tidy.projections.compare_with_rebuild(projection.name()).await.unwrap() {
            assert!(table.is_equal(), "{table:?}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_key_that_was_destroyed_without_a_word_is_announced_once(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let tidy = Tidy::new(&world, 10).await;
    let subject = Subject::Day(3);
    seal(&world, subject).await;
    // As versions before this one did it, or a process that died.
    let key = world.commands.keyring().destroy(subject).await.unwrap().unwrap();
    for _ in 0..2 {
        tidy.round().await;
        assert_eq!(said(&world, key).await, 1);
    }
    let last = world.store.read_all(Position::START, 100).await.unwrap().pop().unwrap();
    let event = keynest_store::decode(&last).unwrap();
    assert_eq!(event, KeyDestroyed { key, subject }.into());
    // A rotated signing key is nobody's data.
    let services =
        sqlx::query_scalar::<_, i64>("select count(*) from streams where name like 'key-%'");
    assert_eq!(services.fetch_one(&world.pool).await.unwrap(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_restored_database_loses_its_destroyed_keys_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let (world, folder) = (World::new(connect).await, Folder::new());
    let (subject, other) = (Subject::Day(3), Subject::Day(4));
    let (sealed, kept) = (seal(&world, subject).await, seal(&world, other).await);
    let key = world.commands.keyring().key_of(subject).await.unwrap().unwrap();
    // The ledger is newer than the database.
    folder.ledger().note(&[DestroyedKey { key, subject }], world.clock.now()).unwrap();
    assert!(opens(&world.commands, subject, &sealed).await);
    for destroyed in [1, 0] {
        let done = apply_ledger(&world.pool, &world.commands, &folder.ledger()).await.unwrap();
        assert_eq!(done, destroyed);
        assert!(!opens(&world.commands, subject, &sealed).await);
        assert!(opens(&world.commands, other, &kept).await);
        assert_eq!(said(&world, key).await, 1);
    }
}

#[sqlx::test(migrations = false)]
async fn another_process_opens_nothing_more_and_has_it_in_its_ledger(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let (world, folder) = (World::new(connect).await, Folder::new());
    let subject = Subject::Day(3);
    let sealed = seal(&world, subject).await;
    let other = Commands::new(
        world.store.clone(),
        world.other_keyring().await,
        PasswordHasher::weak_for_tests(),
        Clock::default(),
    );
    assert!(opens(&other, subject, &sealed).await);
    let (stop, ledger) = (CancellationToken::new(), folder.ledger());
    follow_destroyed_keys(world.store.clone(), other.clone(), Some(ledger.clone()), stop.clone())
        .await
        .unwrap();
    let origin = Origin::product(world.clock.request_id());
    let key = world.commands.destroy_key(&origin, subject).await.unwrap().unwrap();
    let learned = async {
        while opens(&other, subject, &sealed).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), learned).await.unwrap();
    assert_eq!(folder.ledger().keys(), [DestroyedKey { key, subject }]);
    stop.cancel();
}

#[sqlx::test(migrations = false)]
async fn a_restored_account_is_erased_again_and_frees_its_address(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let (world, folder) = (World::new(connect).await, Folder::new());
    let ann = world.person("ann").await;
    let mailer = world.mailer().await;
    let subject = Subject::User(ann);
    let key = world.commands.keyring().key_of(subject).await.unwrap().unwrap();
    folder.ledger().note(&[DestroyedKey { key, subject }], world.clock.now()).unwrap();
    for destroyed in [1, 0] {
        let done = apply_ledger(&world.pool, &world.commands, &folder.ledger()).await.unwrap();
        assert_eq!(done, destroyed);
        assert_eq!(world.user(ann).await.standing, Standing::Erased);
        assert_eq!(said(&world, key).await, 1);
    }
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, Vec::<String>::new(), "the last mail was sent long ago");
    world.register("ann", "Ann", "").await;
    assert_ne!(world.id_of("ann").await, ann);
}
