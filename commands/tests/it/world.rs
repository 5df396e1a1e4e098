//! A write side of its own for each test, and people in it.

use std::net::IpAddr;
use std::sync::Arc;

use keynest_commands::user::{Activate, Register};
use keynest_commands::{
    Client, Clock, CommandError, Commands, Origin, Settings, claims, login::LogIn,
    session::SignedIn,
};
use keynest_crypto::{
    Keyring, Link, LinkTarget, Links, MemoryKeyTable, Password, PasswordHasher, RootKey,
};
use keynest_domain::user::{OpenLink, User};
use keynest_domain::{Email, Event, LinkNonce, PersonName, UserId, Username};
use keynest_store::{EventStore, Position, decode};
use secrecy::ExposeSecret;

pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub commands: Commands,
    pub clock: Clock,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// As an operator configured it.
    pub async fn with(settings: Settings) -> Self {
        let table = Arc::new(MemoryKeyTable::new());
        let keyring = Keyring::unlock(RootKey::generate(), table).await.unwrap();
        let clock = Clock::default();
        let hasher = PasswordHasher::weak_for_tests();
        let store = EventStore::memory();
        let commands = Commands::with_settings(store, keyring, hasher, clock.clone(), settings);
        Self { commands, clock }
    }

    /// Another process over the same log, with other settings and nothing in memory.
    pub fn restarted(&self, settings: Settings) -> Self {
        let (store, keyring) = (self.commands.store().clone(), self.commands.keyring().clone());
        let (hasher, clock) = (PasswordHasher::weak_for_tests(), self.clock.clone());
        let commands = Commands::with_settings(store, keyring, hasher, clock.clone(), settings);
        Self { commands, clock }
    }

    /// An anonymous caller at an address.
    pub fn at(&self, address: &str) -> Origin {
        let address: IpAddr = address.parse().unwrap();
        let client = Some(Client { address: Some(address), agent: None, token: None });
        Origin { client, ..Origin::product(self.clock.request_id()) }
    }

    pub fn anyone(&self) -> Origin {
        self.at("192.0.2.1")
    }

    pub fn signed_in(&self, it: &SignedIn) -> Origin {
        Origin { actor: Some(it.user), session: Some(it.session), ..self.anyone() }
    }

    pub async fn register(&self, username: &str) -> Result<(), CommandError> {
        self.register_as(username, username, PASSWORD).await
    }

    pub async fn register_as(
        &self,
        local: &str,
        username: &str,
        password: &str,
    ) -> Result<(), CommandError> {
        let wish = Register {
            username: Username::parse(username).unwrap(),
            email: email(local),
            password: Password::parse(password).unwrap(),
            first_name: PersonName::parse("").unwrap(),
            last_name: PersonName::parse("").unwrap(),
        };
        self.commands.register(&self.anyone(), wish).await.map(drop)
    }

    pub async fn id_of(&self, local: &str) -> Option<UserId> {
        let claim = claims::email(self.commands.keyring(), &email(local));
        let (stream, _) = self.commands.store().resolve(&claim).await.unwrap()?;
        stream.id().parse().ok()
    }

    pub async fn active(&self, username: &str) -> UserId {
        self.register(username).await.unwrap();
        let user = self.id_of(username).await.unwrap();
        let token = self.activation_token(user).await;
        self.activate(user, &token).await.unwrap();
        user
    }

    pub async fn user(&self, id: UserId) -> Arc<User> {
        self.commands.read::<User>(id).await.unwrap()
    }

    pub async fn activation_token(&self, id: UserId) -> String {
        self.token(LinkTarget::Activation(id), self.user(id).await.activation.unwrap())
    }

    pub fn token(&self, target: LinkTarget, link: OpenLink) -> String {
        let links = Links::new(self.commands.keyring().clone());
        let OpenLink { nonce, expires_at } = link;
        links.issue(&Link { target, nonce, expires_at }).expose_secret().to_owned()
    }

    pub async fn activate(&self, user: UserId, token: &str) -> Result<(), CommandError> {
        let wish = Activate { user, token: token.to_owned() };
        self.commands.activate(&self.anyone(), wish).await.map(drop)
    }

    pub async fn log_in(&self, local: &str, password: &str) -> Result<SignedIn, CommandError> {
        self.log_in_from("192.0.2.1", local, password).await
    }

    pub async fn log_in_from(
        &self,
        address: &str,
        local: &str,
        password: &str,
    ) -> Result<SignedIn, CommandError> {
        let wish = LogIn { email: email(local), password: Password::presented(password).unwrap() };
        let signed_in = self.commands.log_in(&self.at(address), wish).await?.outcome;
        Ok(signed_in.session().expect("nobody here has a second factor"))
    }

    pub async fn refresh(&self, token: &str) -> Result<SignedIn, CommandError> {
        Ok(self.commands.refresh(&self.anyone(), token).await?.outcome)
    }

    /// The names of all events so far.
    pub async fn log(&self) -> Vec<&'static str> {
        let recorded = self.commands.store().read_all(Position::START, 10_000).await.unwrap();
        recorded
            .iter()
            .map(|event| decode(event).unwrap())
            .map(|event: Event| event.name())
            .collect()
    }

    pub async fn count(&self, name: &str) -> usize {
        self.log().await.iter().filter(|known| **known == name).count()
    }
}

pub fn email(local: &str) -> Email {
    Email::parse(&format!("{local}@example.com")).unwrap()
}

pub fn other_nonce() -> LinkNonce {
    LinkNonce::new(7)
}

/// Runs the same thing 64 times at once.
pub async fn in_parallel<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    make: impl Fn(usize) -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..64).map(|n| tokio::spawn(make(n))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}
