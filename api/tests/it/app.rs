//! A whole KeyNest for one test: real Postgres, real sockets, real projections and mailer, its own database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keynest_api::server::{ServerOptions, Stop};
use keynest_api::throttle::ThrottleLimits;
use keynest_api::{App, EdgeSettings, Settings, edge, server};
use keynest_commands::{Clock, Commands};
use keynest_crypto::{Keyring, PasswordHasher, RootKey};
use keynest_domain::limits::Quotas;
use keynest_projections::{Projections, Queries, ReadOptions};
use keynest_store::postgres::{
    Postgres, PostgresQuotas, StoreOptions, connect_store_pool_with, migrate,
};
use keynest_store::{EventStore, IdempotencyTable, PostgresKeyTable};
use keynest_workers::{
    Consumer, Feed, Janitor, JanitorSettings, MAILS_MAX_DEFAULT, Mailbox, Mailer, MailerSettings,
    StoredMail, Transport,
};
use reqwest::{Client, Method, RequestBuilder};
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::local_mailbox::LocalMailbox;

/// Connections of one test's pools; many tests share one server.
const CONNECTIONS: u32 = 8;

/// One running product.
pub struct TestApp {
    pub client: Client,
    pub address: SocketAddr,
    pub app: App,
    pub clock: Clock,
    pub projections: Projections,
    pub store_pool: PgPool,
    pub mailbox: Mailbox,
    mailer: Consumer,
    janitor: Janitor,
    stop: Stop,
    edge: EdgeSettings,
}

/// What a test wants otherwise than usual.
pub struct Builder {
    pool: PgPool,
    pub edge: EdgeSettings,
    pub settings: Settings,
    pub commands: keynest_commands::Settings,
}

/// Another process over the same store and read models, with a memory of its own.
pub struct Replica {
    pub address: SocketAddr,
    pub app: App,
    stop: Stop,
}

impl TestApp {
    /// The usual: no throttles, cheap password hashing.
    pub async fn start(pool: PgPool) -> Self {
        Self::builder(pool).start().await
    }

    pub fn builder(pool: PgPool) -> Builder {
        let settings = Settings { throttles: no_throttles(), ..Settings::default() };
        let commands = keynest_commands::Settings::default();
        Builder { pool, edge: EdgeSettings::default(), settings, commands }
    }

    /// Another process over the same database, with quotas of its own configuration.
    pub async fn beside(&self, quotas: Quotas) -> Self {
        let throttles = ThrottleLimits { quotas, ..ThrottleLimits::default() };
        self.beside_with(Settings { throttles, ..Settings::clone(&self.app.settings) }).await
    }

    /// Another process over the same database, configured otherwise.
    pub async fn beside_with(&self, settings: Settings) -> Self {
        let postgres = Postgres::open(self.store_pool.clone(), &store_options()).await.unwrap();
        let known = &self.app;
        let (keyring, hasher) =
            (known.commands.keyring().clone(), PasswordHasher::weak_for_tests());
        let store = EventStore::Postgres(postgres);
        let commands = Commands::new(store, keyring, hasher, self.clock.clone());
        let mailer =
            mailer(&commands, &self.store_pool, &self.mailbox, settings.site().to_owned()).await;
        let janitor = Janitor::new(
            commands.clone(),
            known.queries.clone(),
            known.idempotency.clone(),
            self.store_pool.clone(),
            JanitorSettings::default(),
        );
        let (queries, projections) = (known.queries.clone(), self.projections.clone());
        let app =
            App::new(commands, queries, projections, known.idempotency.clone(), settings, None);
        let (store_pool, stop) = (self.store_pool.clone(), Stop::default());
        let (app, address) = serve(app, &self.edge, &store_pool, &stop).await;
        Self {
            client: self.client.clone(),
            address,
            app,
            clock: self.clock.clone(),
            projections: self.projections.clone(),
            store_pool,
            mailbox: self.mailbox.clone(),
            mailer,
            janitor,
            stop,
            edge: self.edge.clone(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> RequestBuilder {
        self.request(Method::PATCH, path)
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// Every read model shows everything that is in the log now.
    pub async fn catch_up(&self) {
        let head = self.app.commands.store().head().await.unwrap();
        let models = keynest_projections::names::ALL;
        let is_visible = self
            .projections
            .visibility()
            .wait_for(head, models, std::time::Duration::from_secs(20))
            .await;
        assert!(is_visible, "read models did not catch up");
    }

    /// Sends the mails of everything that is in the log now; answers all mails so far, the newest first.
    pub async fn deliver(&self) -> Vec<StoredMail> {
        self.mailer.drain().await.unwrap();
        self.mailbox.list(None, 1_000).await.unwrap()
    }

    /// The newest mail to an address.
    pub async fn mail_to(&self, address: &str) -> StoredMail {
        self.deliver().await;
        self.mailbox.list(Some(address), 1).await.unwrap().pop().expect("a mail was sent")
    }

    /// One round of the janitor.
    pub async fn tidy_up(&self) {
        self.catch_up().await;
        self.janitor.round().await;
    }
}

impl TestApp {
    /// A second process: its own store handle, caches, revocations and listener.
    pub async fn replica(&self) -> Replica {
        let postgres = Postgres::open(self.store_pool.clone(), &store_options()).await.unwrap();
        let commands = Commands::new(
            EventStore::Postgres(postgres),
            self.app.commands.keyring().clone(),
            PasswordHasher::weak_for_tests(),
            self.clock.clone(),
        );
        let app = App::new(
            commands,
            self.app.queries.clone(),
            self.projections.clone(),
            self.app.idempotency.clone(),
            Settings::clone(&self.app.settings),
            None,
        );
        let stop = Stop::default();
        app.revocations.start(&app, stop.now.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = edge(app.clone(), &self.edge);
        tokio::spawn(server::serve(listener, service, ServerOptions::default(), stop.clone()));
        Replica { address, app, stop }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop.now.cancel();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.now.cancel();
    }
}

impl Builder {
    pub async fn start(self) -> TestApp {
        let options = (*self.pool.connect_options()).clone();
        let store_options = store_options();
        let store_pool = connect_store_pool_with(options.clone(), &store_options).await.unwrap();
        migrate(&store_pool).await.unwrap();
        let postgres = Postgres::open(store_pool.clone(), &store_options).await.unwrap();
        let store = EventStore::Postgres(postgres);
        let clock = Clock::default();
        let table = Arc::new(PostgresKeyTable::new(store_pool.clone()));
        let keyring = Keyring::unlock(RootKey::generate(), table).await.unwrap();
        let hasher = PasswordHasher::weak_for_tests();
        let (log, keys, time) = (store.clone(), keyring.clone(), clock.clone());
        let commands = Commands::with_settings(log, keys, hasher, time, self.commands);

        let read_pool =
            keynest_projections::connect_read_pool(options, &read_options()).await.unwrap();
        keynest_projections::migrate(&read_pool).await.unwrap();
        let projections = Projections::new(store.clone(), keyring.clone(), read_pool.clone());
        let stop = Stop::default();
        projections.start(&stop.now);
        let queries = Queries::new(read_pool);

        let mailbox = Mailbox::new(store_pool.clone(), MAILS_MAX_DEFAULT);
        let idempotency = IdempotencyTable::Postgres(
            keynest_store::postgres::PostgresIdempotency::new(store_pool.clone()),
        );
        let mailer =
            mailer(&commands, &store_pool, &mailbox, self.settings.site().to_owned()).await;
        let janitor = Janitor::new(
            commands.clone(),
            queries.clone(),
            idempotency.clone(),
            store_pool.clone(),
            JanitorSettings::default(),
        );

        let dev_mailbox = Arc::new(LocalMailbox(mailbox.clone()));
        let app = App::new(
            commands,
            queries,
            projections.clone(),
            idempotency,
            self.settings,
            Some(dev_mailbox),
        );
        let (app, address) = serve(app, &self.edge, &store_pool, &stop).await;
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        TestApp {
            client,
            address,
            app,
            clock,
            projections,
            store_pool,
            mailbox,
            mailer,
            janitor,
            stop,
            edge: self.edge,
        }
    }
}

/// Lets the API be called.
async fn serve(app: App, around: &EdgeSettings, pool: &PgPool, stop: &Stop) -> (App, SocketAddr) {
    let app = app.sharing(PostgresQuotas::new(pool.clone()).into());
    app.throttle.follow(&app.commands, stop.now.clone()).await.unwrap();
    app.providers.follow(&app.commands, stop.now.clone()).await.unwrap();
    app.revocations.start(&app, stop.now.clone()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = edge(app.clone(), around);
    tokio::spawn(server::serve(listener, service, ServerOptions::default(), stop.clone()));
    (app, address)
}

/// The mailer into the development mailbox, with its place at the head of the log.
async fn mailer(commands: &Commands, pool: &PgPool, mailbox: &Mailbox, site: String) -> Consumer {
    let settings = MailerSettings {
        pages: site.clone(),
        site,
        domain: "keynest.test".to_owned(),
        has_notices: true,
    };
    let transport = Transport::Mailbox(mailbox.clone());
    let mailer = Mailer::new(commands.clone(), pool.clone(), transport, settings).unwrap();
    let feed = Feed::Store(commands.store().clone());
    let mailer = Consumer::new(feed, pool.clone(), commands.clock().clone(), Arc::new(mailer));
    mailer.drain().await.unwrap();
    mailer
}

/// Few connections, since many tests share one server, and patience with a busy machine: races must end without 503.
fn store_options() -> StoreOptions {
    StoreOptions {
        pool_connections: CONNECTIONS,
        acquire_timeout: Duration::from_secs(30),
        ..StoreOptions::default()
    }
}

fn read_options() -> ReadOptions {
    let patience = store_options().acquire_timeout;
    let limits = ReadOptions::default();
    ReadOptions { connections_max: CONNECTIONS, acquire_timeout: patience, ..limits }
}

/// Limits that no test reaches by accident.
fn no_throttles() -> ThrottleLimits {
    ThrottleLimits { quotas: Quotas::none(), ..ThrottleLimits::default() }
}
