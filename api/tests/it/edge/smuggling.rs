//! Requests that two servers in a row could read differently (THREATS 0.5, A26).

use tokio::io::AsyncWriteExt;

use super::lab::{Lab, answer, http2, read_all, read_until};

const HELLO: &str = "GET /hello/ HTTP/1.1\r\nHost: test\r\n\r\n";

/// Each ends with a second request, which must never be answered.
const SHAPES: [&str; 26] = [
    "GET /hello/ HTTP/1.1\r\n\r\n",
    "GET /hello/ HTTP/1.1\r\nHost: test\r\nHost: test\r\n\r\n",
    "GET /hello/ HTTP/1.1\r\nHost:\r\n\r\n",
    "GET /hello/ HTTP/1.1\nHost: test\n\n",
    "GET /hello/ HTTP/1.1\r\nHost: test\n\r\n",
    "GET /hello/ HTTP/1.1\r\nHost: test\r\nX: a\rb\r\n\r\n",
    "GET http://evil.test/hello/ HTTP/1.1\r\nHost: test\r\n\r\n",
    "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1, 1\r\n\r\na",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: +1\r\n\r\na",
    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length : 1\r\n\r\na",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /hello/ HTTP/1.1\r\nHost: test\r\nX\0: a\r\n\r\n",
    "GET /hello/\tHTTP/1.1\r\nHost: test\r\n\r\n",
    "GET /hello/ HTTP/9.9\r\nHost: test\r\n\r\n",
    "GET /hello/ HTTP/1.1\r\nHost: test\r\n: empty\r\n\r\n",
];

#[tokio::test]
async fn every_dangerous_shape_is_answered_400_once_and_closed() {
    let lab = Lab::start(Default::default()).await;
    for shape in SHAPES {
        let text = lab.raw(format!("{shape}{HELLO}")).await;
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{shape:?}: {text}");
        let answer = answer(&text);
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{shape:?}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(lab.hits(), 0, "no handler ran");
}

#[tokio::test]
async fn single_byte_writes_change_nothing() {
    let lab = Lab::start(Default::default()).await;
    for shape in SHAPES {
        let mut stream = lab.connect().await;
        for byte in format!("{shape}{HELLO}").bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            // Gives the server its turn, so that it really sees the pieces.
            tokio::task::yield_now().await;
        }
        let text = read_all(&mut stream).await;
        assert_eq!(
            (text.matches("HTTP/1.1 ").count(), answer(&text).status),
            (1, 400),
            "{shape:?}: {text}"
        );
    }
    assert_eq!(lab.hits(), 0, "no handler ran");
}

#[tokio::test]
async fn good_requests_before_a_bad_one_are_answered_first() {
    let lab = Lab::start(Default::default()).await;
    let text = lab.raw(format!("{HELLO}{HELLO}GET /hello/ HTTP/1.1\r\n\r\n{HELLO}")).await;
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{text}");
    assert_eq!(lab.hits(), 2);
}

#[tokio::test]
async fn a_body_whose_chunks_break_is_refused_and_nothing_behind_it_is_read() {
    let lab = Lab::start(Default::default()).await;
    for chunks in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "-1\r\n\r\n",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        // Others would let these pass.
        "5 \r\nhello\r\n0\r\n\r\n",
        "0000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nT: v\n\r\n",
    ] {
        let head = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
        let text = lab.raw(format!("{head}{chunks}{HELLO}")).await;
        let answer = answer(&text);
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_body"), "{chunks:?}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    }
}

#[tokio::test]
async fn pipelined_requests_and_chunked_bodies_are_served() {
    let lab = Lab::start(Default::default()).await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n\
                   6;x=y\r\nchunk1\r\n6\r\nchunk2\r\n0\r\nTrailer: x\r\n\r\n";
    let sized = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nsized";
    let last = "GET /hello/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let request = format!("{HELLO}{chunked}{sized}\r\n{last}");
    let text = lab.raw(&request).await;
    let bodies: Vec<_> = text
        .split("HTTP/1.1 200")
        .skip(1)
        .map(|one| one.split("\r\n\r\n").nth(1).unwrap())
        .collect();
    assert_eq!(bodies, ["hello", "chunk1chunk2", "sized", "hello"]);

    let mut stream = lab.connect().await;
    for byte in request.bytes() {
        stream.write_all(&[byte]).await.unwrap();
    }
    let text = read_all(&mut stream).await;
    assert_eq!(text.matches("HTTP/1.1 200").count(), 4, "{text}");
}

#[tokio::test]
async fn a_head_above_16_kib_is_431_and_one_just_below_is_served() {
    let lab = Lab::start(Default::default()).await;
    let with = |filler: usize| {
        format!(
            "GET /hello/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX: {}\r\n\r\n",
            "x".repeat(filler)
        )
    };
    assert_eq!(answer(&lab.raw(with(16_000)).await).status, 200);
    let refused = answer(&lab.raw(with(16_384)).await);
    assert_eq!((refused.status, refused.code().as_str()), (431, "header_too_large"));
    let many = format!("GET /hello/ HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: y\r\n".repeat(100));
    assert_eq!(answer(&lab.raw(many).await).status, 431);
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_served() {
    let lab = Lab::start(Default::default()).await;
    let mut stream = lab.connect().await;
    stream.write_all(&http2(b"\x82\x04\x07/hello/")).await.unwrap();
    read_until_lossy(&mut stream, b"hello").await;
    assert_eq!(lab.hits(), 1);
}

async fn read_until_lossy(stream: &mut tokio::net::TcpStream, end: &[u8]) {
    use tokio::io::AsyncReadExt;
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        bytes.push(super::lab::in_time(stream.read_u8()).await.expect("an HTTP/2 answer"));
    }
}

#[tokio::test]
async fn a_connection_stays_open_for_the_next_request() {
    let lab = Lab::start(Default::default()).await;
    let mut stream = lab.connect().await;
    for _ in 0..3 {
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        assert!(read_until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
    }
}
