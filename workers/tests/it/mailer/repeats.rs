//! One mail per intent, also after a crash at the worst moment.

use keynest_store::Position;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::World;

/// Back to where the mailer stood before, as after a crash before its checkpoint was written.
async fn rewind(world: &World, to: Position) {
    let to = i64::try_from(to.to_stored()).unwrap();
    sqlx::query("update consumers set position = $1").bind(to).execute(&world.pool).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn an_event_that_comes_again_is_not_mailed_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mailer = world.mailer().await;
    let before = mailer.start().await.unwrap();
    world.register("ann", "", "").await;
    mailer.drain().await.unwrap();
    sqlx::query("truncate mailbox").execute(&world.pool).await.unwrap();
    rewind(&world, before).await;
    mailer.drain().await.unwrap();
    assert!(world.sent().await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn after_a_crash_behind_the_sending_the_same_mail_goes_out_again(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mailer = world.mailer().await;
    let before = mailer.start().await.unwrap();
    world.register("ann", "", "").await;
    mailer.drain().await.unwrap();
    let first = world.mail("activation", "ann@example.com").await;
    sqlx::raw_sql("truncate mailbox; update effects set done_at = null")
        .execute(&world.pool)
        .await
        .unwrap();
    rewind(&world, before).await;
    mailer.drain().await.unwrap();
    let second = world.mail("activation", "ann@example.com").await;
    assert_eq!(second.message_id, first.message_id, "a mail server knows it by its id");
    assert_eq!(second.body_text, first.body_text);
}
