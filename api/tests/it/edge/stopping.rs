//! Stopping: first gracefully, then at once.

use keynest_api::server::{Drained, ServerLimits};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::lab::{Lab, in_time, read_all, read_until, short};

#[tokio::test]
async fn draining_closes_idle_connections_and_finishes_running_requests() {
    let lab = Lab::start(ServerLimits::default()).await;
    let mut idle = lab.connect().await;
    idle.write_all(b"GET /hello/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    read_until(&mut idle, "hello").await;
    let mut silent = lab.connect().await;
    let mut busy = lab.connect().await;
    busy.write_all(b"GET /slow/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    in_time(lab.bench.begun.notified()).await;

    lab.stop.drain.cancel();
    assert_eq!(read_all(&mut idle).await, "");
    assert_eq!(read_all(&mut silent).await, "");
    lab.bench.release.notify_one();
    let text = read_all(&mut busy).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("done"), "{text}");
    assert_eq!(in_time(lab.served).await.unwrap(), Drained::Finished);
    assert!(TcpStream::connect(lab.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn the_drain_has_a_deadline() {
    let lab = Lab::start(ServerLimits { drain: Duration::from_millis(100), ..short() }).await;
    let mut busy = lab.connect().await;
    busy.write_all(b"GET /slow/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    in_time(lab.bench.begun.notified()).await;
    lab.stop.drain.cancel();
    assert_eq!(in_time(lab.served).await.unwrap(), Drained::CutOff);
    assert!(!lab.stop.now.is_cancelled(), "others that share the wish to stop are not told");
}

#[tokio::test]
async fn the_second_wish_stops_at_once() {
    let limits = ServerLimits { drain: Duration::from_secs(3_600), ..ServerLimits::default() };
    let lab = Lab::start(limits).await;
    let mut busy = lab.connect().await;
    busy.write_all(b"GET /slow/ HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    in_time(lab.bench.begun.notified()).await;
    lab.stop.drain.cancel();
    lab.stop.now.cancel();
    assert_eq!(read_all(&mut busy).await, "");
    assert_eq!(in_time(lab.served).await.unwrap(), Drained::CutOff);
}
