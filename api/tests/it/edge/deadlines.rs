//! Clients that let the server wait (THREATS A27). The limits are short; nothing is timed but by the server.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::lab::{Lab, answer, in_time, read_all, read_until, short};
use keynest_api::server::ServerLimits;

#[tokio::test]
async fn a_silent_connection_is_closed_without_a_word() {
    let lab = Lab::start(short()).await;
    assert_eq!(read_all(&mut lab.connect().await).await, "");
}

#[tokio::test]
async fn half_a_head_is_answered_408_and_closed() {
    let lab = Lab::start(short()).await;
    for half in ["G", "GET /hello/ HTTP/1.1\r\nHost: te", "PRI * HTTP/2.0\r\n", "\r\n"] {
        let answer = answer(&lab.raw(half).await);
        assert_eq!((answer.status, answer.code().as_str()), (408, "header_too_slow"), "{half:?}");
    }
    assert_eq!(lab.hits(), 0);
}

#[tokio::test]
async fn a_head_that_never_ends_does_not_win_time_with_each_byte() {
    let lab = Lab::start(ServerLimits { head_bytes_max: usize::MAX / 2, ..short() }).await;
    let mut stream = lab.connect().await;
    stream.write_all(b"GET /hello/ HTTP/1.1\r\nX: ").await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut first = [0; 12];
    let trickle = async {
        while writing.write_all(b"x").await.is_ok() {}
        std::future::pending::<()>().await;
    };
    in_time(async {
        tokio::select! {
            read = reading.read_exact(&mut first) => { read.unwrap(); }
            () = trickle => {}
        }
    })
    .await;
    assert_eq!(&first, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_body_that_stops_is_answered_408() {
    let lab = Lab::start(short()).await;
    for framing in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\nA\r\nabc"] {
        let answer =
            answer(&lab.raw(format!("POST /echo HTTP/1.1\r\nHost: test\r\n{framing}")).await);
        assert_eq!((answer.status, answer.code().as_str()), (408, "body_too_slow"), "{framing}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let lab = Lab::start(short()).await;
    let mut stream = lab.connect().await;
    stream.write_all(b"GET /hello/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    read_until(&mut stream, "hello").await;
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn a_slow_handler_is_not_taken_for_an_idle_connection() {
    let lab =
        Lab::start(ServerLimits { idle: std::time::Duration::from_millis(1), ..short() }).await;
    let mut stream = lab.connect().await;
    stream.write_all(b"GET /slow/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    in_time(lab.bench.begun.notified()).await;
    // Another connection living through all of its own deadline is the clock of this test.
    assert_eq!(read_all(&mut lab.connect().await).await, "");
    lab.bench.release.notify_one();
    assert!(read_until(&mut stream, "done").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_is_given_up() {
    let mut lab = Lab::start(short()).await;
    let mut stream = lab.connect().await;
    stream.write_all(b"GET /endless/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    in_time(lab.drops.recv()).await.expect("the answer is dropped");
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_answered_503() {
    let mut config = super::lab::config();
    config.request_timeout = std::time::Duration::from_millis(50);
    let lab = Lab::with(short(), config).await;
    let answer = lab.ask("GET /slow/ HTTP/1.1", "").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "timed_out"));
    assert_eq!(answer.header("retry-after"), Some("5"));
}
