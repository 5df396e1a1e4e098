//! What the operator sets about proofs, tokens, passwords and addresses is what decisions go by.

use keynest_commands::organization::{CreateOrganization, CreateServiceToken};
use keynest_commands::token::{NewToken, ScopeWish};
use keynest_commands::user::{ConfirmEmailChange, CreateToken, RequestEmailChange};
use keynest_commands::{CommandError, Origin, Settings};
use keynest_crypto::{LinkTarget, Password};
use keynest_domain::organization::{self, ServiceRole};
use keynest_domain::session::{self, Lifetimes};
use keynest_domain::user::{self, LinkLimits};
use keynest_domain::{Lifetime, OrganizationName, TokenAccess, TokenName};
use secrecy::ExposeSecret;

use crate::world::*;

async fn ann(world: &World) -> Origin {
    world.active("ann").await;
    world.signed_in(&world.log_in("ann", PASSWORD).await.unwrap())
}

fn token(name: &str) -> NewToken {
    NewToken {
        name: TokenName::parse(name).unwrap(),
        scope: ScopeWish { access: TokenAccess::Read, spots: None },
        ranges: Vec::new(),
        lifetime: Lifetime::from_hours(1),
        digest: name.to_owned(),
    }
}

#[tokio::test]
async fn a_sign_in_is_fresh_and_a_challenge_stands_for_as_long() {
    let (fresh_for, challenge_for) = (Lifetime::from_minutes(20), Lifetime::from_minutes(8));
    let world = World::with(Settings { fresh_for, challenge_for, ..Settings::default() }).await;
    let ann = ann(&world).await;
    world.clock.advance(Lifetime::from_minutes(19));
    let offer = world.commands.begin_totp(&ann).await.expect("still fresh");
    let left = offer.expires_at.since(world.clock.now());
    assert!(left > Lifetime::from_minutes(7) && left <= challenge_for, "{left:?}");
    world.clock.advance(Lifetime::from_minutes(1));
    let late = world.commands.begin_totp(&ann).await;
    assert!(
        matches!(late, Err(CommandError::Session(session::Rejection::StepUpRequired))),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_replaced_refresh_token_answers_as_long_as_configured() {
    let sessions = Lifetimes { grace: Lifetime::from_minutes(30), ..Lifetimes::default() };
    let world = World::with(Settings { sessions, ..Settings::default() }).await;
    world.active("ann").await;
    let first = world.log_in("ann", PASSWORD).await.unwrap();
    let second = world.refresh(first.refresh.expose_secret()).await.unwrap();
    world.refresh(second.refresh.expose_secret()).await.unwrap();
    world.clock.advance(Lifetime::from_minutes(29));
    world.refresh(first.refresh.expose_secret()).await.expect("in its grace");
    world.clock.advance(Lifetime::from_minutes(1));
    let late = world.refresh(first.refresh.expose_secret()).await.map(drop);
    assert!(matches!(late, Err(CommandError::Session(session::Rejection::Reused))), "{late:?}");
}

#[tokio::test]
async fn people_and_organizations_have_as_many_tokens_as_configured() {
    let settings = Settings {
        tokens_per_user_max: 1,
        services_per_organization_max: 2,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let ann = ann(&world).await;
    let own = async |name| world.commands.create_token(&ann, CreateToken(token(name))).await;
    own("one").await.unwrap();
    let full = own("two").await.unwrap_err();
    assert!(matches!(full, CommandError::User(user::Rejection::TooManyTokens)), "{full:?}");

    let name = OrganizationName::parse("Acme").unwrap();
    let made =
        world.commands.create_organization(&ann, CreateOrganization { name, description: None });
    let organization = made.await.unwrap().outcome;
    let service = async |name| {
        let wish =
            CreateServiceToken { organization, role: ServiceRole::Viewer, token: token(name) };
        world.commands.create_service_token(&ann, wish).await
    };
    service("one").await.unwrap();
    service("two").await.unwrap();
    let full = service("three").await.unwrap_err();
    let is_full =
        matches!(full, CommandError::Organization(organization::Rejection::TooManyServices));
    assert!(is_full, "{full:?}");
}

#[tokio::test]
async fn a_chosen_password_is_as_long_as_configured() {
    let world = World::with(Settings { password_chars_min: 24, ..Settings::default() }).await;
    let short = world.register_as("ann", "ann", PASSWORD).await.unwrap_err();
    assert!(matches!(short, CommandError::Field { field: "password", .. }), "{short:?}");
    let longer = format!("{PASSWORD} stapled");
    world.register_as("ann", "ann", &longer).await.expect("long enough");
}

#[tokio::test]
async fn an_address_changes_as_often_and_in_the_time_that_is_configured() {
    let hours = Lifetime::from_hours;
    let links = LinkLimits {
        email_change: hours(2),
        email_undo: hours(5),
        email_changes_max: 2,
        ..LinkLimits::default()
    };
    let world = World::with(Settings { links, ..Settings::default() }).await;
    let ann = ann(&world).await;
    let id = ann.actor.unwrap();
    let ask = async |local: &str| {
        let current = Some(Password::presented(PASSWORD).unwrap());
        let wish = RequestEmailChange { email: email(local), current };
        world.commands.request_email_change(&ann, wish).await
    };
    ask("anna").await.unwrap();
    ask("hannah").await.unwrap();
    let often = ask("johanna").await.map(drop);
    assert!(
        matches!(often, Err(CommandError::User(user::Rejection::TooManyEmailChanges { .. }))),
        "{often:?}"
    );
    let change = world.user(id).await.email_change.clone().unwrap();
    let left = change.expires_at.since(world.clock.now());
    assert!(left > hours(1) && left <= hours(2), "{left:?}");
    for (target, link) in
        [(LinkTarget::NewEmail(id), change.new_link), (LinkTarget::OldEmail(id), change.old_link)]
    {
        let wish = ConfirmEmailChange { user: id, token: world.token(target, link.unwrap()) };
        world.commands.confirm_email_change(&world.anyone(), wish).await.unwrap();
    }
    let undo = world.user(id).await.email_undo.clone().unwrap();
    let left = undo.link.expires_at.since(world.clock.now());
    assert!(left > hours(4) && left <= hours(5), "{left:?}");
}
