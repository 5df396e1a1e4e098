//! Every key of the configuration with its default. A field here is a key in the file and a variable `KEYNEST_…`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::accounts::*;
use super::secret::{Secret, SecretUrl};
use super::section::section;
use super::text::{WebOrigin, blank, list};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const PORT: u16 = 8000;
/// CONTRACT 2.8.
const CORS_ORIGINS: [&str; 6] = [
    "http://localhost:3000",
    "http://localhost:3001",
    "http://localhost:5173",
    "http://127.0.0.1:3000",
    "http://127.0.0.1:3001",
    "http://127.0.0.1:5173",
];

section! {
    /// The effective configuration.
    Config {
        /// Where KeyNest keeps its own files: the root key, the private Postgres.
        data_dir: PathBuf = PathBuf::from(".data"),
        database: Database = Database::default(),
        store: Store = Store::default(),
        nats: Nats = Nats::default(),
        sessions: Sessions = Sessions::default(),
        lockout: Lockout = Lockout::default(),
        links: Links = Links::default(),
        tokens: Tokens = Tokens::default(),
        exchange: Exchange = Exchange::default(),
        smtp: Smtp = Smtp::default(),
        public: Public = Public::default(),
        frontend: Frontend = Frontend::default(),
        http: Http = Http::default(),
        oauth: OAuth = OAuth::default(),
        throttle: Throttle = Throttle::default(),
        password: Password = Password::default(),
        keys: Keys = Keys::default(),
        mail: Mail = Mail::default(),
        log: Log = Log::default(),
        lists: Lists = Lists::default(),
        feed: Feed = Feed::default(),
        projections: Projections = Projections::default(),
        janitor: Janitor = Janitor::default(),
    }
}

section! {
    /// The Postgres of event store and read models.
    Database {
        /// Blank: a private Postgres in the data directory. `DATABASE_URL` is another name for it.
        url: SecretUrl = SecretUrl::default(),
        /// Connections for appends, keys, work and idempotency.
        store_connections_max: u32 = 16,
        /// Connections for projections and queries.
        read_connections_max: u32 = 12,
        acquire_timeout_ms: u64 = 5_000,
        statement_timeout_ms: u64 = 30_000,
        lock_timeout_ms: u64 = 10_000,
        idle_in_transaction_timeout_ms: u64 = 30_000,
        /// How long the other end of a connection may be silent before it counts as gone, with its locks.
        silence_max_ms: u64 = 3_000,
    }
}

section! {
    /// The event store.
    Store {
        /// Where the events are. Blank: in the database. `kurrentdb://user:password@host:2113`, with the options of the official
        /// clients: in a KurrentDB cluster of version 26.1 or later. Set before the first start, never changed.
        url: SecretUrl = SecretUrl::default(),
        /// How the names of the streams begin in a KurrentDB cluster.
        stream_prefix: String = "keynest".to_owned(),
        /// Appends that are sent to a KurrentDB cluster at a time.
        appends_in_flight_max: usize = 64,
        /// For how long a KurrentDB cluster is waited for at start.
        connect_wait_ms: u64 = 10_000,
        /// Appends that wait for the group committer; more are refused with 503.
        queue_max: usize = 4_096,
        /// Committed events kept in memory for this process's projections and workers; who is further behind reads them.
        handover_events_max: usize = 4_096,
        handover_bytes_max: usize = 4 * MIB as usize,
        /// Bytes of the appends that wait; more are refused with 503.
        queue_bytes_max: u32 = 64 * 1024 * 1024,
        /// Appends that one commit takes along.
        batch_requests_max: usize = 256,
        /// Events that one commit takes along, unless one append has more.
        batch_events_max: usize = 1_000,
        /// Bytes that one commit takes along, unless one append has more.
        batch_bytes_max: usize = 1024 * 1024,
        /// Aggregates whose state is kept in memory between commands.
        states_max: u64 = 4_096,
    }
}

section! {
    /// The carrier of the event feed for several machines: NATS JetStream.
    Nats {
        /// `nats://user:password@host:4222` or `tls://…`, several with commas between them. Blank: the event store carries the
        /// feed itself.
        url: SecretUrl = SecretUrl::default(),
        /// A `.creds` file: JWT and seed.
        credentials_file: PathBuf = PathBuf::new(),
        /// Certificates (PEM) trusted for this server besides the system's; TLS is required then.
        ca_file: PathBuf = PathBuf::new(),
        /// What this process shows to a server that asks for certificates (PEM); both or none.
        client_certificate_file: PathBuf = PathBuf::new(),
        client_key_file: PathBuf = PathBuf::new(),
        /// The stream's name, made and updated by KeyNest.
        stream: String = "keynest".to_owned(),
        /// Servers of a cluster that keep a copy.
        stream_replicas: usize = 1,
        /// The oldest messages go when there is more, …
        stream_bytes_max: u64 = 1024 * MIB,
        /// … and when they are older.
        stream_age_hours_max: u32 = 30 * 24,
        /// How long the stream remembers event ids, so that it takes none twice.
        duplicate_window_seconds: u32 = 120,
        /// Whether reveals of values (streams `access-…`) are relayed too: they are many.
        access_events: bool = false,
        /// The first connection; if there is none in time, it is tried in the background.
        connect_timeout_ms: u64 = 2_000,
        request_timeout_ms: u64 = 5_000,
        /// Events under way to the stream at a time.
        publish_window_max: usize = 256,
        /// Messages under way to one consumer at a time.
        unacknowledged_max: usize = 1_000,
        /// After so long an unacknowledged message is sent again.
        ack_wait_ms: u64 = 30_000,
        /// Two missing ones end a pull, and the consumer is looked after.
        heartbeat_ms: u64 = 5_000,
        /// How often a consumer asks the log itself, whatever NATS says.
        poll_ms: u64 = 5_000,
    }
}

section! {
    /// Where mails go.
    Smtp {
        /// `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465` (TLS). Blank: the development mailbox.
        url: SecretUrl = SecretUrl::default(),
        from: String = "KeyNest <keynest@localhost>".to_owned(),
        /// Certificates (PEM) trusted for this server besides the system's.
        ca_file: PathBuf = PathBuf::new(),
        timeout_ms: u64 = 15_000,
        connections_max: u32 = 4,
    }
}

section! {
    /// How clients reach the API.
    Public {
        url: WebOrigin = fixed("http://localhost:8000"),
    }
}

section! {
    /// Where the links in mails lead.
    Frontend {
        /// Blank: the API serves the pages behind the links itself.
        #[serde(with = "blank")]
        url: Option<WebOrigin> = None,
    }
}

section! {
    /// The listener and its limits.
    Http {
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
        /// A listener of its own for `/metrics` and `/health/ready`. Blank: they are served with the rest.
        #[serde(with = "blank")]
        metrics_listen: Option<SocketAddr> = None,
        /// Networks whose `X-Forwarded-For` is believed.
        #[serde(with = "list")]
        trusted_proxies: Vec<IpNet> = Vec::new(),
        cors_origins: Vec<WebOrigin> = CORS_ORIGINS.map(fixed).to_vec(),
        first_byte_timeout_ms: u64 = 10_000,
        header_timeout_ms: u64 = 5_000,
        body_timeout_ms: u64 = 30_000,
        idle_timeout_ms: u64 = 60_000,
        request_timeout_ms: u64 = 30_000,
        header_bytes_max: u64 = 16 * KIB,
        body_bytes_max: u64 = MIB,
        import_bytes_max: u64 = 10 * MIB,
        connections_max: usize = 4_096,
        connections_per_address_max: usize = 512,
        /// How long a process that was asked to stop says that it is not ready and still takes requests, so that balancers
        /// look away first.
        drain_delay_ms: u64 = 0,
        /// How long a graceful stop waits for requests that are under way.
        drain_timeout_ms: u64 = 10_000,
    }
}

section! {
    /// The root key, which wraps all others.
    Keys {
        /// Blank: `root.key` in the data directory.
        root_file: PathBuf = PathBuf::new(),
        /// The key itself, for those who keep it elsewhere; then no file is used.
        root_key: Secret = Secret::default(),
        /// The ledger of destroyed keys, which a restored backup must not bring back. Blank: `destroyed-keys.log` in the data directory.
        destroyed_file: PathBuf = PathBuf::new(),
    }
}

section! {
    /// What is mailed.
    Mail {
        /// Whether members are told what happens in their organizations. Security mails are always sent.
        notices: bool = true,
        /// Mails that the development mailbox keeps.
        mailbox_messages_max: u32 = 1_000,
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Human,
    Json,
}

/// When a new log file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogRotation {
    Hourly,
    Daily,
    Never,
}

section! {
    /// The log of this process.
    Log {
        format: LogFormat = LogFormat::Human,
        /// A level, or filters such as `info,keynest_store=debug`.
        level: String = "info,sqlx=warn".to_owned(),
        /// Blank: standard error.
        file: PathBuf = PathBuf::new(),
        rotation: LogRotation = LogRotation::Daily,
        files_max: usize = 14,
    }
}

section! {
    /// Pages of lists.
    Lists {
        page_size: u32 = 1_000,
        page_size_max: u32 = 1_000,
    }
}

section! {
    /// The event feed over HTTP and gRPC; numbers are of one process.
    Feed {
        /// Where it is served to the official clients of KurrentDB, read-only. Blank: not at all.
        #[serde(with = "blank")]
        grpc_listen: Option<SocketAddr> = None,
        /// The certificate chain and its key (PEM) of that listener; both or none.
        grpc_certificate_file: PathBuf = PathBuf::new(),
        grpc_key_file: PathBuf = PathBuf::new(),
        /// Open connections; further ones wait.
        grpc_connections_max: usize = 256,
        /// Calls at a time on one connection.
        grpc_streams_max: u32 = 64,
        /// Bytes of one message of a client's.
        grpc_message_bytes_max: usize = 64 * 1024,
        /// How often a silent peer is asked whether it is there, and how long it may take to answer.
        grpc_keep_alive_seconds: u32 = 20,
        /// Requests that read it at a time; more are refused with 503.
        readers_max: usize = 256,
        /// The same of one caller; more are refused with 429.
        readers_per_caller_max: usize = 32,
        /// Events in one answer, unless the caller asks otherwise.
        page_size: u32 = 100,
        page_size_max: u32 = 1_000,
        /// Bytes after which an answer has no further event.
        page_bytes_max: usize = MIB as usize,
        /// Events that one look passes by at most, whether or not they are asked for.
        scan_max: u32 = 1_000,
        /// Looks at a time; the others wait for their turn.
        looks_max: usize = 8,
        /// How long one request waits for an event at most.
        wait_seconds_max: u32 = 20,
        /// Silence after which a stream says that it is still there.
        heartbeat_seconds: u32 = 15,
        /// How long the reader of a stream that ended is asked to wait.
        retry_ms: u64 = 2_000,
    }
}

section! {
    /// The read side.
    Projections {
        /// How long an answer waits until the caller would see its own write.
        visible_wait_ms: u64 = 2_000,
    }
}

section! {
    /// The clean-up of what has expired.
    Janitor {
        interval_seconds: u64 = 60,
        batch_max: usize = 500,
    }
}

fn fixed(origin: &str) -> WebOrigin {
    origin.parse().expect("the origins in this file are valid; a test reads them all")
}
