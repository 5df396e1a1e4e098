//! Mails about one's own account: their links work, and they come whatever the switch for notices says.

use insta::assert_snapshot;
use keynest_commands::login::LogIn;
use keynest_commands::user::{Activate, ChangePassword, ConfirmPasswordReset};
use keynest_crypto::{LinkTarget, Links, Password};
use keynest_domain::{Lifetime, UserId};
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::shown::{link, parts, shown};
use crate::world::{PASSWORD, World, email};

const OTHER: &str = "a quite different phrase";

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_registration_is_answered_with_a_link_that_activates(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let mailer = world.mailer().await;
    world.register("ann", "Ann", "Lee").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["activation to ann@example.com"]);
    let mail = world.mail("activation", "ann@example.com").await;
    assert_snapshot!("activation", shown(&mail));

    let [path, user, token] = parts(&link(&mail)).try_into().unwrap();
    let user: UserId = user.parse().unwrap();
    assert_eq!((path.as_str(), user), ("activate", world.id_of("ann").await));
    let links = Links::new(world.commands.keyring().clone());
    let open = world.user(user).await.activation.unwrap();
    let target = LinkTarget::Activation(user);
    assert!(links.verify(&token, target, open.nonce, world.clock.now()));
    world.commands.activate(&world.anyone(), Activate { user, token }).await.unwrap();

    mailer.drain().await.unwrap();
    assert_snapshot!("welcome", shown(&world.mail("welcome", "ann@example.com").await));
}

#[sqlx::test(migrations = false)]
async fn a_second_registration_of_an_address_tells_its_owner(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    world.person("ann").await;
    let mailer = world.mailer().await;
    let mut wish = keynest_commands::user::Register {
        username: keynest_domain::Username::parse("thief").unwrap(),
        email: email("ann"),
        password: password(PASSWORD),
        first_name: keynest_domain::PersonName::parse("").unwrap(),
        last_name: keynest_domain::PersonName::parse("").unwrap(),
    };
    wish.first_name = keynest_domain::PersonName::parse("Thief").unwrap();
    world.commands.register(&world.anyone(), wish).await.unwrap();
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["already_registered to ann@example.com"]);
    let mail = world.mail("already_registered", "ann@example.com").await;
    assert_snapshot!("already_registered", shown(&mail));
    assert!(!mail.body_text.contains("hief"), "nothing of the stranger's input is mailed");
}

#[sqlx::test(migrations = false)]
async fn a_reset_link_sets_the_password_and_tells_the_owner(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    // Security mails come all the same.
    world.commands.switch_notices(&world.as_user(ann), false).await.unwrap();
    let mailer = world.mailer().await;
    world.commands.request_password_reset(&world.anyone(), email("ann")).await.unwrap();
    mailer.drain().await.unwrap();
    let mail = world.mail("password_reset", "ann@example.com").await;
    assert_snapshot!("password_reset", shown(&mail));
    let [path, user, token] = parts(&link(&mail)).try_into().unwrap();
    assert_eq!((path.as_str(), user.parse()), ("reset-password", Ok(ann)));
    let wish =
        ConfirmPasswordReset { user: ann, token, password: password(OTHER), context: vec![] };
    world.commands.confirm_password_reset(&world.anyone(), wish).await.unwrap();
    mailer.drain().await.unwrap();
    let sent = ["password_changed to ann@example.com", "password_reset to ann@example.com"];
    assert_eq!(world.sent().await, sent);
}

#[sqlx::test(migrations = false)]
async fn a_changed_password_is_told_to_its_owner(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let mailer = world.mailer().await;
    let wish =
        ChangePassword { current: password(PASSWORD), new: password(OTHER), context: vec![] };
    world.commands.change_password(&world.as_user(ann), wish).await.unwrap();
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["password_changed to ann@example.com"]);
    let mail = world.mail("password_changed", "ann@example.com").await;
    assert_snapshot!("password_changed", shown(&mail));
}

#[sqlx::test(migrations = false)]
async fn a_stolen_token_is_told_to_its_owner(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    world.person("ann").await;
    let mailer = world.mailer().await;
    let wish = LogIn { email: email("ann"), password: password(PASSWORD) };
    let first = world
        .commands
        .log_in(&world.anyone(), wish)
        .await
        .unwrap()
        .outcome
        .session()
        .unwrap()
        .refresh;
    let mut newest = first.clone();
    for _ in 0..2 {
        let signed_in = world.commands.refresh(&world.anyone(), newest.expose_secret()).await;
        newest = signed_in.unwrap().outcome.refresh;
        world.clock.advance(Lifetime::from_minutes(1));
    }
    world.commands.refresh(&world.anyone(), first.expose_secret()).await.unwrap_err();
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["token_reuse to ann@example.com"]);
    assert_snapshot!("token_reuse", shown(&world.mail("token_reuse", "ann@example.com").await));
}
