//! Against real sockets: what the client refuses costs no connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that counts its connections and answers each with the same bytes, then with silence if wanted.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(head: &'static str, body_bytes: usize, is_silent: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(head.as_bytes()).await;
                    let block = vec![b'a'; 64 * 1024];
                    let mut left = body_bytes;
                    while left > 0
                        && stream.write_all(&block[..left.min(block.len())]).await.is_ok()
                    {
                        left -= left.min(block.len());
                    }
                    if is_silent {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { address, connections }
    }

    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.address.port())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn origin(url: &str) -> Origin {
    Origin::of(&Url::parse(url).unwrap()).unwrap()
}

/// A client that may ask this origin, which is configured as internal or is not.
fn client(url: &str, is_internal: bool) -> OutgoingClient {
    let internal = if is_internal { vec![origin(url)] } else { Vec::new() };
    let timeout = Duration::from_secs(2);
    Outgoing::new(OutgoingSettings { timeout, internal }).unwrap().client([origin(url)])
}

#[tokio::test]
async fn an_origin_that_is_configured_as_internal_answers() {
    let server = Server::start(FINE, 0, false).await;
    let url = server.url("127.0.0.1");
    let answer = client(&url, true).get(&url, &[]).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (200, b"ok".as_slice()));
}

#[tokio::test]
async fn private_addresses_get_no_connection_in_any_spelling() {
    let server = Server::start(FINE, 0, false).await;
    let hosts =
        ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"];
    for host in hosts {
        for url in [server.url(host), server.url(host).replacen("http:", "https:", 1)] {
            let refused = client(&url, false).get(&url, &[]).await;
            assert!(matches!(refused, Err(OutgoingError::PrivateAddress)), "{url}: {refused:?}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_not_on_the_list_gets_no_connection() {
    let server = Server::start(FINE, 0, false).await;
    let asked = client("https://provider.example", true).get(&server.url("127.0.0.1"), &[]).await;
    assert!(matches!(asked, Err(OutgoingError::NotAllowed)));
    let named = server.url("127.0.0.1").replacen("//", "//somebody@", 1);
    let asked = client(&server.url("127.0.0.1"), true).get(&named, &[]).await;
    assert!(matches!(asked, Err(OutgoingError::NotAllowed)));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inside = Server::start(FINE, 0, false).await;
    let head = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        inside.url("127.0.0.1")
    );
    let outside = Server::start(head.leak(), 0, false).await;
    let url = outside.url("127.0.0.1");
    let asked = client(&url, true).get(&url, &[]).await;
    assert!(matches!(asked, Err(OutgoingError::Redirect)));
    assert_eq!((outside.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_read() {
    const BYTES: usize = 100 * 1024 * 1024;
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
    ] {
        let server = Server::start(head, BYTES, false).await;
        let url = server.url("127.0.0.1");
        let asked = client(&url, true).get(&url, &[]).await;
        assert!(matches!(asked, Err(OutgoingError::TooLarge)), "{asked:?}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab"] {
        let server = Server::start(head, 0, true).await;
        let url = server.url("127.0.0.1");
        let asked = client(&url, true).get(&url, &[]).await;
        assert!(matches!(asked, Err(OutgoingError::TimedOut)), "{asked:?}");
    }
}

#[tokio::test]
async fn a_host_that_keeps_failing_is_left_alone() {
    let server = Server::start(
        "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        0,
        false,
    )
    .await;
    let url = server.url("127.0.0.1");
    let client = client(&url, true);
    for _ in 0..breaker::FAILURES_MAX {
        assert_eq!(client.get(&url, &[]).await.unwrap().status(), 500);
    }
    assert!(matches!(client.get(&url, &[]).await, Err(OutgoingError::Resting)));
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn only_so_many_ask_one_host_at_a_time() {
    let server = Server::start("", 0, true).await;
    let url = server.url("127.0.0.1");
    let client = client(&url, true);
    let asked =
        futures::future::join_all((0..REQUESTS_PER_ORIGIN_MAX + 1).map(|_| client.get(&url, &[])));
    let busy = asked.await.iter().filter(|it| matches!(it, Err(OutgoingError::Busy))).count();
    assert_eq!(busy, 1);
}
