//! A product of its own for each test: event store, write side, mailbox; people and teams in it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use keynest_commands::organization::{AcceptInvitation, CreateOrganization, InviteMember};
use keynest_commands::user::{Activate, Register};
use keynest_commands::{Client, Clock, Commands, Origin, claims};
use keynest_crypto::{Keyring, Link, LinkTarget, Links, Password, PasswordHasher, RootKey};
use keynest_domain::organization::Organization;
use keynest_domain::user::{OpenLink, User};
use keynest_domain::{
    Email, InvitationId, OrganizationId, OrganizationName, PersonName, Role, UserId, Username,
};
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use keynest_store::{EventStore, PostgresKeyTable};
use keynest_workers::{
    Consumer, Effects, Feed, MAILS_MAX_DEFAULT, Mailbox, Mailer, MailerSettings, StoredMail,
    Transport, WorkTable,
};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use crate::nats::Nats;

pub const PASSWORD: &str = "correct horse battery";
pub const SITE: &str = "https://keynest.example";
const CONNECTIONS: u32 = 5;

pub struct World {
    pub connect: PgConnectOptions,
    pub pool: PgPool,
    pub store: EventStore,
    pub clock: Clock,
    pub commands: Commands,
    pub mailbox: Mailbox,
    pub work: WorkTable,
    pub effects: Effects,
    /// The other carrier, if this is to be its world.
    pub nats: Option<Nats>,
}

pub fn store_options() -> StoreOptions {
    let poll_interval = Duration::from_millis(50);
    StoreOptions { pool_connections: CONNECTIONS, poll_interval, ..StoreOptions::default() }
}

impl World {
    pub async fn new(connect: PgConnectOptions) -> Self {
        let pool = connect_store_pool_with(connect.clone(), &store_options()).await.unwrap();
        migrate(&pool).await.unwrap();
        let postgres = Postgres::open(pool.clone(), &store_options()).await.unwrap();
        let store = EventStore::Postgres(postgres);
        let table = Arc::new(PostgresKeyTable::new(pool.clone()));
        let keyring = Keyring::unlock(root(), table).await.unwrap();
        let clock = Clock::default();
        let hasher = PasswordHasher::weak_for_tests();
        let commands = Commands::new(store.clone(), keyring, hasher, clock.clone());
        Self {
            mailbox: Mailbox::new(pool.clone(), MAILS_MAX_DEFAULT),
            work: WorkTable::new(pool.clone()),
            effects: Effects::new(pool.clone()),
            connect,
            pool,
            store,
            clock,
            commands,
            nats: None,
        }
    }

    /// With a NATS server of its own, and a relay.
    pub async fn over_jetstream(connect: PgConnectOptions) -> Self {
        let world = Self::new(connect).await;
        let nats = Nats::start(&world.store, &world.pool).await;
        Self { nats: Some(nats), ..world }
    }

    /// What carries the feed in this world.
    pub fn feed(&self) -> Feed {
        self.feed_of(self.store.clone())
    }

    pub fn feed_of(&self, store: EventStore) -> Feed {
        match &self.nats {
            None => Feed::Store(store),
            Some(nats) => Feed::JetStream(store, Box::new(nats.jetstream.clone())),
        }
    }

    pub fn nats(&self) -> &Nats {
        self.nats.as_ref().expect("a world over JetStream")
    }

    /// The keyring of another process over the same database.
    pub async fn other_keyring(&self) -> Keyring {
        let table = Arc::new(PostgresKeyTable::new(self.pool.clone()));
        Keyring::unlock(root(), table).await.unwrap()
    }

    /// A mailer that has taken its place at the head of the log.
    pub async fn mailer(&self) -> Consumer {
        self.mailer_by(Transport::Mailbox(self.mailbox.clone()), true).await
    }

    pub async fn mailer_by(&self, transport: Transport, has_notices: bool) -> Consumer {
        let settings = MailerSettings {
            site: SITE.to_owned(),
            pages: SITE.to_owned(),
            domain: "keynest.example".to_owned(),
            has_notices,
        };
        let mailer =
            Mailer::new(self.commands.clone(), self.pool.clone(), transport, settings).unwrap();
        let consumer =
            Consumer::new(self.feed(), self.pool.clone(), self.clock.clone(), Arc::new(mailer));
        consumer.start().await.unwrap();
        consumer
    }

    /// The mails so far, oldest first.
    pub async fn mails(&self) -> Vec<StoredMail> {
        let mut mails = self.mailbox.list(None, 1_000).await.unwrap();
        mails.reverse();
        mails
    }

    /// Kind and recipient of every mail so far, sorted, since the letters of one event leave in any order.
    pub async fn sent(&self) -> Vec<String> {
        let mails = self.mails().await.into_iter();
        let mut sent: Vec<_> =
            mails.map(|mail| format!("{} to {}", mail.kind, mail.recipient)).collect();
        sent.sort();
        sent
    }

    pub fn anyone(&self) -> Origin {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let client = Some(Client { address: Some(address), agent: None, token: None });
        Origin { client, ..Origin::product(self.clock.request_id()) }
    }

    pub fn as_user(&self, actor: UserId) -> Origin {
        Origin { actor: Some(actor), ..self.anyone() }
    }

    pub async fn register(&self, local: &str, first: &str, last: &str) {
        self.register_as(local, local, first, last).await;
    }

    pub async fn register_as(&self, username: &str, local: &str, first: &str, last: &str) {
        let wish = Register {
            username: Username::parse(username).unwrap(),
            email: email(local),
            password: Password::parse(PASSWORD).unwrap(),
            first_name: PersonName::parse(first).unwrap(),
            last_name: PersonName::parse(last).unwrap(),
        };
        self.commands.register(&self.anyone(), wish).await.unwrap();
    }

    pub async fn id_of(&self, local: &str) -> UserId {
        let claim = claims::email(self.commands.keyring(), &email(local));
        let (stream, _) = self.store.resolve(&claim).await.unwrap().unwrap();
        stream.id().parse().unwrap()
    }

    pub async fn user(&self, id: UserId) -> Arc<User> {
        self.commands.read::<User>(id).await.unwrap()
    }

    pub fn token(&self, target: LinkTarget, link: OpenLink) -> String {
        let OpenLink { nonce, expires_at } = link;
        let link = Link { target, nonce, expires_at };
        Links::new(self.commands.keyring().clone()).issue(&link).expose_secret().to_owned()
    }

    pub async fn activate(&self, user: UserId) {
        let link = self.user(user).await.activation.unwrap();
        let token = self.token(LinkTarget::Activation(user), link);
        self.commands.activate(&self.anyone(), Activate { user, token }).await.unwrap();
    }

    /// A person with an account: `ann` is Ann at ann@example.com.
    pub async fn person(&self, local: &str) -> UserId {
        let (head, rest) = local.split_at(1);
        self.register(local, &format!("{}{rest}", head.to_uppercase()), "").await;
        let user = self.id_of(local).await;
        self.activate(user).await;
        user
    }

    pub async fn team(&self, admin: UserId, name: &str) -> OrganizationId {
        let name = OrganizationName::parse(name).unwrap();
        let wish = CreateOrganization { name, description: None };
        self.commands.create_organization(&self.as_user(admin), wish).await.unwrap().outcome
    }

    pub async fn invite(
        &self,
        admin: UserId,
        organization: OrganizationId,
        local: &str,
    ) -> InvitationId {
        let wish = InviteMember { organization, address: email(local), role: Role::Viewer };
        self.commands.invite_member(&self.as_user(admin), wish).await.unwrap().outcome.invitation
    }

    pub async fn accept(&self, organization: OrganizationId, invitation: InvitationId) {
        let state = self.commands.read::<Organization>(organization).await.unwrap();
        let pending = &state.pending[&invitation];
        let link = OpenLink { nonce: pending.nonce, expires_at: pending.expires_at };
        let token = self.token(LinkTarget::Invitation(organization, invitation), link);
        let wish = AcceptInvitation { token };
        self.commands.accept_invitation(&self.anyone(), wish).await.unwrap();
    }

    /// A person who is a member.
    pub async fn member(&self, admin: UserId, organization: OrganizationId, local: &str) -> UserId {
        let user = self.person(local).await;
        let invitation = self.invite(admin, organization, local).await;
        self.accept(organization, invitation).await;
        user
    }
}

fn root() -> RootKey {
    RootKey::parse(&"5a".repeat(32)).unwrap()
}

pub fn email(local: &str) -> Email {
    Email::parse(&format!("{local}@example.com")).unwrap()
}
