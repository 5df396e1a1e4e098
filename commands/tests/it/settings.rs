//! What the operator sets is what decisions go by; what is in the log stays what it was.

use keynest_commands::organization::{CreateOrganization, InviteMember};
use keynest_commands::{CommandError, Settings};
use keynest_domain::login::{Lockout, Rejection};
use keynest_domain::session::{self, Lifetimes};
use keynest_domain::user::LinkLimits;
use keynest_domain::{Lifetime, OrganizationName, Role, organization, user};
use secrecy::ExposeSecret;

use crate::world::*;

fn is_locked<T>(answer: &Result<T, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Login(Rejection::Locked { .. })))
}

fn is_expired<T>(answer: &Result<T, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Session(session::Rejection::Expired)))
}

#[tokio::test]
async fn an_address_is_locked_after_as_many_failures_for_as_long() {
    let minutes = Lifetime::from_minutes;
    let lockout =
        Lockout { failures_max: 2, cool_off_first: minutes(10), cool_off_max: minutes(15) };
    let world = World::with(Settings { lockout, ..Settings::default() }).await;
    world.active("ann").await;
    world.log_in("ann", "wrong guess").await.unwrap_err();
    world.log_in("ann", PASSWORD).await.unwrap();
    for _ in 0..2 {
        assert!(!is_locked(&world.log_in("ann", "wrong guess").await));
    }
    assert!(is_locked(&world.log_in("ann", PASSWORD).await));
    world.clock.advance(minutes(8));
    assert!(is_locked(&world.log_in("ann", PASSWORD).await));
    world.clock.advance(minutes(2));
    for _ in 0..2 {
        assert!(!is_locked(&world.log_in("ann", "wrong guess").await));
    }
    world.clock.advance(minutes(13));
    assert!(is_locked(&world.log_in("ann", PASSWORD).await));
    world.clock.advance(minutes(2));
    world.log_in("ann", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_network_is_known_for_as_long() {
    let known_network = Lifetime::from_hours(2);
    let world = World::with(Settings { known_network, ..Settings::default() }).await;
    world.active("ann").await;
    world.log_in("ann", PASSWORD).await.unwrap();
    let lock = async || {
        while !is_locked(&world.log_in_from("198.51.100.7", "ann", "wrong guess").await) {}
    };
    world.clock.advance(Lifetime::from_minutes(119));
    lock().await;
    world.log_in("ann", PASSWORD).await.expect("known");
    world.clock.advance(known_network);
    lock().await;
    assert!(is_locked(&world.log_in("ann", PASSWORD).await), "forgotten");
}

#[tokio::test]
async fn a_session_ends_idle_and_old_as_configured() {
    let sessions = Lifetimes {
        idle: Lifetime::from_hours(2),
        absolute: Lifetime::from_hours(3),
        ..Lifetimes::default()
    };
    let world = World::with(Settings { sessions, ..Settings::default() }).await;
    world.active("ann").await;
    let [idle, used] = [world.log_in("ann", PASSWORD).await, world.log_in("ann", PASSWORD).await];
    let [idle, used] = [idle.unwrap(), used.unwrap()];
    world.clock.advance(Lifetime::from_minutes(90));
    let used = world.refresh(used.refresh.expose_secret()).await.unwrap();
    world.clock.advance(Lifetime::from_minutes(30));
    assert!(is_expired(&world.refresh(idle.refresh.expose_secret()).await));
    let used = world.refresh(used.refresh.expose_secret()).await.unwrap();
    world.commands.expire_session(&world.anyone(), idle.session).await.unwrap();
    world.commands.expire_session(&world.anyone(), used.session).await.unwrap();
    assert_eq!(world.count("session.ended").await, 1, "the janitor goes by the same");
    world.clock.advance(Lifetime::from_hours(1));
    assert!(is_expired(&world.refresh(used.refresh.expose_secret()).await));
}

/// Something that anybody may ask for again and again.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Activation,
    Reset,
    Registration,
}

impl World {
    async fn ask(&self, asked: Asked) -> usize {
        let (anyone, ann) = (self.anyone(), email("ann"));
        let name = match asked {
            Asked::Activation => {
                self.commands.resend_activation(&anyone, ann).await.unwrap();
                "user.activation_requested"
            }
            Asked::Reset => {
                self.commands.request_password_reset(&anyone, ann).await.unwrap();
                "user.password_reset_requested"
            }
            Asked::Registration => {
                self.register_as("ann", "another", PASSWORD).await.unwrap();
                "user.registration_repeated"
            }
        };
        self.count(name).await
    }

    /// Once, too early, and again.
    async fn ask_every(&self, hours: u32, asked: Asked) {
        assert_eq!(self.ask(asked).await, 1, "{asked:?}");
        self.clock.advance(Lifetime::from_minutes(hours * 60 - 30));
        assert_eq!(self.ask(asked).await, 1, "{asked:?} came too early");
        self.clock.advance(Lifetime::from_minutes(30));
        assert_eq!(self.ask(asked).await, 2, "{asked:?}");
    }
}

#[tokio::test]
async fn links_are_good_and_sent_as_often_as_configured() {
    let hours = Lifetime::from_hours;
    let links = LinkLimits {
        activation: hours(40),
        password_reset: hours(7),
        activation_interval: hours(4),
        password_reset_interval: hours(5),
        repeated_interval: hours(6),
        ..LinkLimits::default()
    };
    let world = World::with(Settings { links, ..Settings::default() }).await;
    world.register("ann").await.unwrap();
    let ann = world.id_of("ann").await.unwrap();
    let first = world.activation_token(ann).await;
    world.clock.advance(hours(40));
    let late = world.activate(ann, &first).await;
    assert!(matches!(late, Err(CommandError::User(user::Rejection::LinkExpired))), "{late:?}");
    world.ask_every(4, Asked::Activation).await;
    let link = world.activation_token(ann).await;
    world.clock.advance(hours(39));
    world.activate(ann, &link).await.expect("good for 40 hours");
    world.ask_every(5, Asked::Reset).await;
    let left = world.user(ann).await.reset.unwrap().expires_at.since(world.clock.now());
    assert!(left > hours(6) && left <= hours(7), "{left:?}");
    world.ask_every(6, Asked::Registration).await;
}

#[tokio::test]
async fn an_invitation_is_good_as_long_as_configured() {
    let settings = Settings { invitation: Lifetime::from_hours(3), ..Settings::default() };
    let world = World::with(settings).await;
    world.active("ann").await;
    let ann = world.signed_in(&world.log_in("ann", PASSWORD).await.unwrap());
    let name = OrganizationName::parse("Acme").unwrap();
    let made =
        world.commands.create_organization(&ann, CreateOrganization { name, description: None });
    let organization = made.await.unwrap().outcome;
    let invite = || InviteMember { organization, address: email("bob"), role: Role::Viewer };
    world.commands.invite_member(&ann, invite()).await.unwrap();
    world.clock.advance(Lifetime::from_hours(2));
    let again = world.commands.invite_member(&ann, invite()).await.unwrap_err();
    assert!(matches!(
        again,
        CommandError::Organization(organization::Rejection::InvitationPending)
    ));
    world.clock.advance(Lifetime::from_hours(1));
    world.commands.invite_member(&ann, invite()).await.expect("the first one is over");
}

/// What one process wrote is what another one with other settings goes by, where the log says it.
#[tokio::test]
async fn a_lock_and_a_link_last_as_they_were_written() {
    let world = World::new().await;
    world.register("ann").await.unwrap();
    world.active("bob").await;
    while !is_locked(&world.log_in("bob", "wrong guess").await) {}
    let longest = Lifetime::from_hours(20);
    let settings = Settings {
        lockout: Lockout { cool_off_first: longest, cool_off_max: longest, ..Lockout::default() },
        links: LinkLimits { activation: Lifetime::from_hours(1), ..LinkLimits::default() },
        ..Settings::default()
    };
    let other = world.restarted(settings);
    other.clock.advance(Lifetime::from_hours(2));
    other.log_in("bob", PASSWORD).await.expect("locked for a minute, not for 20 hours");
    let ann = other.id_of("ann").await.unwrap();
    let token = other.activation_token(ann).await;
    other.activate(ann, &token).await.expect("mailed for a day, not for an hour");
}
