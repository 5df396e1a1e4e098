//! A small application behind the real server, and a client that writes raw bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use keynest_api::Problem;
use keynest_api::extract::{Json, MaybeJson, Path, Query, Text};
use keynest_api::middleware::{
    ClientAddress, Clock, CorsOrigins, Edge, EdgeConfig, Proxies, RequestIdentity,
};
use keynest_api::server::{
    Drained, ServerLimits, ServerOptions, Stop, body_limit, read_body, serve,
};
use keynest_api::throttle::{Throttle, ThrottleLimits};
use serde::Deserialize;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub const FRONTEND: &str = "http://localhost:3000";
/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the handlers share with the test.
#[derive(Clone)]
pub struct Bench {
    pub hits: Arc<AtomicUsize>,
    /// A slow handler has begun; it ends when `release` is notified.
    pub begun: Arc<Notify>,
    pub release: Arc<Notify>,
    /// An endless answer has been given up.
    pub dropped: mpsc::UnboundedSender<()>,
}

pub struct Lab {
    pub address: SocketAddr,
    pub stop: Stop,
    pub served: JoinHandle<Drained>,
    pub bench: Bench,
    pub drops: mpsc::UnboundedReceiver<()>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Limits that a test can wait for.
pub fn short() -> ServerLimits {
    let short = Duration::from_millis(200);
    ServerLimits {
        first_byte: short,
        header: short,
        idle: short,
        body_stall: short,
        write_stall: short,
        linger: short,
        ..ServerLimits::default()
    }
}

pub fn config() -> EdgeConfig {
    EdgeConfig {
        origins: CorsOrigins::parse([FRONTEND]).unwrap(),
        is_https: false,
        proxies: Proxies::default(),
        request_timeout: Duration::from_secs(10),
        clock: Clock {
            now: Arc::new(|| datetime!(2026-03-04 05:06:07.000008 UTC)),
            request_id: Arc::new(|| Uuid::from_u128(42)),
        },
    }
}

impl Lab {
    pub async fn start(limits: ServerLimits) -> Self {
        Self::with(limits, config()).await
    }

    pub async fn with(limits: ServerLimits, config: EdgeConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (dropped, drops) = mpsc::unbounded_channel();
        let bench =
            Bench { hits: Arc::default(), begun: Arc::default(), release: Arc::default(), dropped };
        let address = listener.local_addr().unwrap();
        let edge = Edge::new(routes(bench.clone()), config);
        let stop = Stop::default();
        let options = ServerOptions { limits, ..ServerOptions::default() };
        let served = tokio::spawn(serve(listener, edge, options, stop.clone()));
        Self { address, stop, served, bench, drops }
    }

    pub fn hits(&self) -> usize {
        self.bench.hits.load(Ordering::SeqCst)
    }

    pub async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// From another loopback address, as another caller would.
    pub async fn connect_from(&self, source: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Writes everything and reads until the server closes.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may close before everything is written.
        let _ = stream.write_all(bytes.as_ref()).await;
        read_all(&mut stream).await
    }

    /// One request on its own connection; `lines` has the request line and fields, one per line.
    pub async fn ask(&self, lines: &str, body: &str) -> Answer {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!(
            "{}\r\nHost: test\r\nConnection: close\r\n{length}\r\n{body}",
            lines.replace('\n', "\r\n")
        );
        answer(&self.raw(head).await)
    }

    pub async fn post_json(&self, path: &str, body: &str) -> Answer {
        self.ask(&format!("POST {path} HTTP/1.1\nContent-Type: application/json"), body).await
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (there, value) = line.split_once(": ")?;
            there.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.json()["status"], self.status);
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

pub fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// HTTP/2 from its beginning: preface, SETTINGS, and HEADERS on stream 1, method and path as in RFC 7541.
pub fn http2(method_and_path: &[u8]) -> Vec<u8> {
    let fields = [method_and_path, b"\x86\x41\x04test"].concat();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&[0, 0, u8::try_from(fields.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    bytes.extend_from_slice(&fields);
    bytes
}

/// Reads until the other side closes; a reset counts as closing.
pub async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the server closes in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until the text ends with `end`.
pub async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let byte =
            tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("an answer in time");
        bytes.push(
            byte.unwrap_or_else(|error| {
                panic!("{error} after {}", String::from_utf8_lossy(&bytes))
            }),
        );
    }
    String::from_utf8(bytes).unwrap()
}

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}

#[derive(Deserialize)]
struct Wish {
    name: Text,
    count: i64,
}

#[derive(Default, Deserialize)]
struct Page {
    page: Option<u32>,
    page_size: Option<u32>,
}

fn routes(bench: Bench) -> Router {
    let throttle = Throttle::new(&ThrottleLimits::default(), keynest_commands::Clock::default());
    let login = post(async || Problem::new("invalid_credentials")).route_layer(throttle.auth());
    let activate = post(async || "activated").route_layer(throttle.auth());
    Router::new()
        .route("/hello/", get(hello))
        .route("/echo", post(echo))
        .route("/large/", post(echo).layer(body_limit(3 * 1_024 * 1_024)))
        .route(
            "/json/",
            post(async |Json(wish): Json<Wish>| format!("{} {}", wish.name.0, wish.count)),
        )
        .route("/maybe/", post(async |MaybeJson(page): MaybeJson<Page>| format!("{:?}", page.page)))
        .route("/items/{id}/", get(async |Path(id): Path<i64>| id.to_string()))
        .route(
            "/page/",
            get(async |Query(page): Query<Page>| format!("{:?} {:?}", page.page, page.page_size)),
        )
        .route("/panic/", get(panic))
        .route("/slow/", get(slow))
        .route("/endless/", get(endless))
        .route(
            "/own/",
            get(async || {
                ([("content-security-policy", "mine"), ("cache-control", "max-age=9")], "")
            }),
        )
        .route("/whoami/", get(whoami))
        .route("/login/", login)
        .route("/activate/", activate)
        .with_state(bench)
}

async fn hello(State(bench): State<Bench>) -> &'static str {
    bench.hits.fetch_add(1, Ordering::SeqCst);
    "hello"
}

async fn echo(State(bench): State<Bench>, request: Request) -> Result<Bytes, Problem> {
    bench.hits.fetch_add(1, Ordering::SeqCst);
    read_body(request.into_body()).await
}

async fn slow(State(bench): State<Bench>) -> &'static str {
    bench.begun.notify_one();
    bench.release.notified().await;
    "done"
}

async fn panic() -> &'static str {
    let secret = "hunter2";
    assert_eq!(secret, "", "a secret in a panic");
    secret
}

async fn whoami(request: Request) -> String {
    let address = request.extensions().get::<ClientAddress>().unwrap().0;
    let identity = request.extensions().get::<RequestIdentity>().unwrap().clone();
    format!("{address} {}", identity.id)
}

/// Tells when it is dropped.
struct Told(mpsc::UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

async fn endless(State(bench): State<Bench>) -> impl IntoResponse {
    let told = Told(bench.dropped);
    let pieces = futures::stream::repeat_with(move || {
        let _ = &told;
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4_096]))
    });
    Body::from_stream(pieces)
}
