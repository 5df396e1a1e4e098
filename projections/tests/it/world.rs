//! A log, a keyring and empty read models; events are written by hand, without the command side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keynest_crypto::{Context, Keyring, MemoryKeyTable, RootKey, Subject};
use keynest_domain::environment::{EnvironmentCreated, VariableChanged, VariableCreated};
use keynest_domain::organization::{MemberJoined, OrganizationCreated};
use keynest_domain::project::ProjectCreated;
use keynest_domain::session::{SessionStarted, SignInMethod};
use keynest_domain::user::{UserActivated, UserRegistered};
use keynest_domain::*;
use keynest_projections::{
    Page, Projection, Projections, Queries, ReadOptions, connect_read_pool, migrate,
};
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with};
use keynest_store::{
    Append, EventStore, Expected, Metadata, Position, Revision, StreamAppend, encode,
};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

pub const ANN: UserId = UserId::new(1);
pub const BOB: UserId = UserId::new(2);
pub const EVE: UserId = UserId::new(3);
pub const ACME: OrganizationId = OrganizationId::new(11);
pub const HOME: OrganizationId = OrganizationId::new(12);
pub const SHOP: ProjectId = ProjectId::new(21);
pub const PROD: EnvironmentId = EnvironmentId::new(31);
pub const FIRST: Page = Page { number: 1, size: 20 };

/// Noon of 2026-03-01, and so many seconds later.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_772_366_400 + seconds) * 1_000_000)
}

pub fn session(number: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(number))
}

fn root() -> RootKey {
    RootKey::parse(&"5a".repeat(32)).unwrap()
}

pub fn invitation(number: u128) -> InvitationId {
    InvitationId::new(Uuid::from_u128(number))
}

#[derive(Clone)]
pub struct World {
    pub store: EventStore,
    pub keyring: Keyring,
    /// What is behind the keyring, for other processes.
    pub keys: Arc<MemoryKeyTable>,
    pub read: PgPool,
    pub projections: Projections,
    pub queries: Queries,
    pub commands: Arc<AtomicU64>,
}

impl World {
    pub async fn new(options: PgConnectOptions) -> Self {
        Self::with(options, keynest_projections::all()).await
    }

    /// Its log is in the same database.
    pub async fn durable(options: PgConnectOptions) -> Self {
        Self::durable_with(options, StoreOptions::default()).await
    }

    pub async fn durable_with(options: PgConnectOptions, limits: StoreOptions) -> Self {
        let pool = connect_store_pool_with(options.clone(), &limits).await.unwrap();
        keynest_store::postgres::migrate(&pool).await.unwrap();
        let store = EventStore::Postgres(Postgres::open(pool, &limits).await.unwrap());
        Self::over(store, options, keynest_projections::all()).await
    }

    pub async fn with(options: PgConnectOptions, projections: Vec<Arc<dyn Projection>>) -> Self {
        Self::over(EventStore::memory(), options, projections).await
    }

    async fn over(
        store: EventStore,
        options: PgConnectOptions,
        projections: Vec<Arc<dyn Projection>>,
    ) -> Self {
        let keys = Arc::new(MemoryKeyTable::new());
        let keyring = Keyring::unlock(root(), keys.clone()).await.unwrap();
        let limits = ReadOptions { connections_max: 8, ..ReadOptions::default() };
        let read = connect_read_pool(options, &limits).await.unwrap();
        migrate(&read).await.unwrap();
        let projections =
            Projections::of(projections, store.clone(), keyring.clone(), read.clone());
        let queries = Queries::new(read.clone());
        Self { store, keyring, keys, read, projections, queries, commands: Arc::default() }
    }

    pub async fn catch_up(&self) {
        self.projections.catch_up().await.unwrap();
    }

    /// The same log, keys and rows in another process, which has nothing in memory.
    pub async fn restarted(&self) -> Self {
        let keys = self.keys.clone();
        let keyring = Keyring::unlock(root(), keys).await.unwrap();
        let (store, read) = (self.store.clone(), self.read.clone());
        let projections = Projections::new(store, keyring.clone(), read);
        Self { keyring, projections, ..self.clone() }
    }

    /// Says in the log that a key is destroyed, and no more: as a process that dies before the deed.
    pub async fn announces(&self, subject: Subject) -> KeyId {
        let key = self.keyring.key_of(subject).await.unwrap().unwrap();
        self.happens::<key::DataKey>(key, key::KeyDestroyed { key, subject }).await;
        key
    }

    /// When the events of a stream were recorded.
    pub async fn recorded(&self, stream: StreamName) -> Vec<Timestamp> {
        let events = self.store.read_stream(&stream, Revision::NONE).await.unwrap();
        events.into_iter().map(|event| event.recorded_at).collect()
    }

    /// Appends events to a stream, whatever its revision is.
    pub async fn append(
        &self,
        stream: StreamName,
        metadata: Metadata,
        events: Vec<Event>,
    ) -> Position {
        let number = self.commands.fetch_add(1, Ordering::SeqCst);
        let command_id = CommandId::new(Uuid::from_u128(u128::from(number) + 1));
        let events = events.iter().map(encode).collect();
        let streams = vec![StreamAppend { stream, expected: Expected::Any, events }];
        let (checks, claims, releases) = Default::default();
        let append = Append { command_id, streams, checks, claims, releases, metadata };
        self.store.append(append).await.unwrap().position
    }

    /// Appends one event that somebody caused.
    pub async fn by<A: Aggregate>(
        &self,
        actor: UserId,
        id: A::Id,
        event: impl Into<Event>,
    ) -> Position {
        let metadata = Metadata { actor: Some(actor), ..Metadata::default() };
        self.append(A::stream(id), metadata, vec![event.into()]).await
    }

    /// Appends one event that nobody in particular caused.
    pub async fn happens<A: Aggregate>(&self, id: A::Id, event: impl Into<Event>) -> Position {
        self.append(A::stream(id), Metadata::default(), vec![event.into()]).await
    }

    pub async fn seal(
        &self,
        subject: Subject,
        stream: StreamName,
        event: &'static str,
        field: &'static str,
        text: &str,
    ) -> Sealed {
        let context = Context::new(subject, stream, event, field);
        self.keyring.seal(&context, text.as_bytes()).await.unwrap()
    }

    /// Registers an account; `Ann` has the address `ann@example.com` and the username `ann`.
    pub async fn register(&self, user: UserId, first_name: &str) {
        let lower = first_name.to_lowercase();
        let sealed = async |field: &'static str, text: String| {
            let stream = user::User::stream(user);
            self.seal(Subject::User(user), stream, "user.registered", field, &text).await
        };
        let registered = UserRegistered {
            user,
            username: sealed("username", lower.clone()).await,
            email: sealed("email", format!("{lower}@example.com")).await,
            first_name: sealed("first_name", first_name.to_owned()).await,
            last_name: sealed("last_name", String::new()).await,
            password: Some(sealed("password", "hash".to_owned()).await),
            nonce: LinkNonce::new(1),
            expires_at: at(86_400),
            at: at(0),
        };
        self.happens::<user::User>(user, registered).await;
    }

    /// Registers and activates an account.
    pub async fn person(&self, user: UserId, first_name: &str) {
        self.register(user, first_name).await;
        self.happens::<user::User>(user, UserActivated { at: at(1) }).await;
    }

    pub async fn signs_in(&self, user: UserId, session: SessionId, at: Timestamp) {
        let started = SessionStarted {
            session,
            user,
            epoch: 0,
            refresh_key: KeyId::new(Uuid::nil()),
            method: SignInMethod::Password,
            second_factor: None,
            at,
        };
        self.happens::<session::Session>(session, started).await;
    }

    /// An organization whose creator is its admin.
    pub async fn organization(&self, id: OrganizationId, creator: UserId, name: &str) {
        let stream = organization::Organization::stream(id);
        let subject = Subject::Organization(id);
        let name = self.seal(subject, stream, "organization.created", "name", name).await;
        let is_personal = false;
        let created =
            OrganizationCreated { organization: id, name, description: None, creator, is_personal };
        self.by::<organization::Organization>(creator, id, created).await;
        self.joins(id, creator, Role::Admin).await;
    }

    pub async fn joins(&self, id: OrganizationId, user: UserId, role: Role) {
        let joined = MemberJoined { user, role, at: at(10 + user.get()) };
        self.by::<organization::Organization>(user, id, joined).await;
    }

    pub async fn project(
        &self,
        id: ProjectId,
        organization: OrganizationId,
        creator: UserId,
        name: &str,
    ) {
        let stream = project::Project::stream(id);
        let subject = Subject::Organization(organization);
        let name = self.seal(subject, stream, "project.created", "name", name).await;
        let created =
            ProjectCreated { project: id, organization, name, description: None, creator };
        self.by::<project::Project>(creator, id, created).await;
    }

    pub async fn environment(
        &self,
        id: EnvironmentId,
        (project, organization): (ProjectId, OrganizationId),
        creator: UserId,
        name: &str,
    ) {
        let stream = environment::Environment::stream(id);
        let subject = Subject::Organization(organization);
        let created = EnvironmentCreated {
            environment: id,
            project,
            organization,
            name: self.seal(subject, stream.clone(), "environment.created", "name", name).await,
            environment_type: EnvironmentType::Production,
            description: Some(
                self.seal(subject, stream, "environment.created", "description", "Careful").await,
            ),
            creator,
        };
        self.by::<environment::Environment>(creator, id, created).await;
    }

    pub async fn value(
        &self,
        environment: EnvironmentId,
        variable: i64,
        version: u32,
        text: &str,
    ) -> Sealed {
        let context =
            keynest_projections::value_context(environment, VariableId::new(variable), version);
        self.keyring.seal(&context, text.as_bytes()).await.unwrap()
    }

    pub async fn created(
        &self,
        environment: EnvironmentId,
        variable: i64,
        key: &str,
        text: &str,
    ) -> Event {
        let value = self.value(environment, variable, 1, text).await;
        let (variable, key) = (VariableId::new(variable), VariableKey::parse(key).unwrap());
        VariableCreated { variable, key, value, creator: ANN }.into()
    }

    pub async fn changed(
        &self,
        environment: EnvironmentId,
        variable: i64,
        version: u32,
        text: &str,
    ) -> Event {
        let value = self.value(environment, variable, version, text).await;
        VariableChanged { variable: VariableId::new(variable), value, version }.into()
    }

    /// Ann is admin, Bob viewer of Acme with a project `Shop` and an environment `prod`; Eve is nowhere.
    pub async fn acme(&self) {
        for (user, name) in [(ANN, "Ann"), (BOB, "Bob"), (EVE, "Eve")] {
            self.person(user, name).await;
        }
        self.organization(ACME, ANN, "Acme").await;
        self.joins(ACME, BOB, Role::Viewer).await;
        self.project(SHOP, ACME, ANN, "Shop").await;
        self.environment(PROD, (SHOP, ACME), ANN, "prod").await;
    }
}
