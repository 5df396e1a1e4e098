//! Caps on connections, and errors of `accept`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use keynest_api::middleware::Edge;
use keynest_api::server::{Listener, ServerLimits, ServerOptions, Stop, serve};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::lab::{Lab, config, in_time, read_all, read_until, short};

const HELLO: &[u8] = b"GET /hello/ HTTP/1.1\r\nHost: test\r\n\r\n";

async fn half_open(lab: &Lab, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = lab.connect().await;
        let _ = stream.write_all(b"GET /hello/ HTT").await;
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn one_address_cannot_take_the_connections_of_others() {
    let limits = ServerLimits { connections_per_address_max: 20, ..ServerLimits::default() };
    let lab = Lab::start(limits).await;
    let mut held = half_open(&lab, 250).await;
    let mut other = lab.connect_from("127.0.0.2").await;
    other.write_all(HELLO).await.unwrap();
    assert!(read_until(&mut other, "hello").await.starts_with("HTTP/1.1 200"));
    assert_eq!(read_all(held.last_mut().unwrap()).await, "", "those beyond the cap are closed");
}

#[tokio::test]
async fn half_open_connections_beyond_the_total_only_delay_the_others() {
    let limits =
        ServerLimits { connections_max: 30, connections_per_address_max: 1_000, ..short() };
    let lab = Lab::start(limits).await;
    let _held = half_open(&lab, 250).await;
    let mut other = lab.connect_from("127.0.0.2").await;
    other.write_all(HELLO).await.unwrap();
    assert!(read_until(&mut other, "hello").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_closed_connection_gives_its_place_back() {
    let lab = Lab::start(ServerLimits { connections_per_address_max: 1, ..short() }).await;
    for _ in 0..20 {
        let mut stream = lab.connect().await;
        if stream
            .write_all(b"GET /hello/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await
            .is_ok()
        {
            read_all(&mut stream).await;
        }
    }
    assert!(lab.hits() > 0);
    in_time(async { while lab.ask_hello().await.is_none() {} }).await;
}

impl Lab {
    async fn ask_hello(&self) -> Option<String> {
        let text =
            self.raw("GET /hello/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
        (!text.is_empty()).then_some(text)
    }
}

/// Fails a few times, as when there are no file handles, then works.
struct Failing {
    errors: VecDeque<io::Error>,
    real: TcpListener,
}

impl Listener for Failing {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.errors.pop_front() {
            Some(error) => Err(error),
            None => TcpListener::accept(&self.real).await,
        }
    }
}

#[tokio::test]
async fn errors_of_accept_do_not_end_the_server() {
    const EMFILE: i32 = 24;
    let real = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = real.local_addr().unwrap();
    let mut errors: VecDeque<_> = (0..3).map(|_| io::Error::from_raw_os_error(EMFILE)).collect();
    errors.push_back(io::ErrorKind::ConnectionAborted.into());
    let routes = axum::Router::new().route("/hello/", axum::routing::get(async || "hello"));
    let edge = Edge::new(routes, config());
    tokio::spawn(serve(Failing { errors, real }, edge, ServerOptions::default(), Stop::default()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    assert!(read_until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
}
