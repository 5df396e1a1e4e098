//! Slashes, unknown paths, methods, panics.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::lab::{Lab, answer, http2, in_time, short};

#[tokio::test]
async fn both_slash_forms_are_served_without_a_redirect() {
    let lab = Lab::start(short()).await;
    for path in [
        "/hello/",
        "/hello",
        "/hello?x=/",
        "/items/7",
        "/items/7/",
        "/page?page=2",
        "/page/?page=2",
    ] {
        assert_eq!(lab.ask(&format!("GET {path} HTTP/1.1"), "").await.status, 200, "{path}");
    }
    for path in ["/echo", "/echo/"] {
        assert_eq!(lab.ask(&format!("POST {path} HTTP/1.1"), "body").await.body, "body", "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_impossible_ids_are_404_problems() {
    let lab = Lab::start(short()).await;
    for path in [
        "/",
        "/nope",
        "/hello//",
        "//hello",
        "/hello/x",
        "/items/x/",
        "/items/9999999999999999999/",
        "/items/%ff/",
    ] {
        let answer = lab.ask(&format!("GET {path} HTTP/1.1"), "").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_the_right_ones() {
    let lab = Lab::start(short()).await;
    for path in ["/hello/", "/hello"] {
        let answer = lab.ask(&format!("DELETE {path} HTTP/1.1"), "").await;
        assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"), "{path}");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,OPTIONS"), "{path}");
    }
    for method in ["TRACE", "TRACK", "BREW", "PROPFIND"] {
        assert_eq!(
            lab.ask(&format!("{method} /hello/ HTTP/1.1"), "").await.status,
            405,
            "{method}"
        );
    }
    assert_eq!(lab.hits(), 0);
}

#[tokio::test]
async fn options_tells_the_methods_of_a_path() {
    let lab = Lab::start(short()).await;
    let answer = lab.ask("OPTIONS /hello/ HTTP/1.1", "").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET,HEAD,OPTIONS")));
    assert_eq!(lab.ask("OPTIONS /nope/ HTTP/1.1", "").await.status, 404);
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let lab = Lab::start(short()).await;
    for path in ["/hello/", "/hello", "/nope", "/echo"] {
        let get = lab.ask(&format!("GET {path} HTTP/1.1"), "").await;
        let text = lab
            .raw(format!("HEAD {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"))
            .await;
        let head = answer(&text);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
}

/// In HTTP/1 hyper would leave a body out as well, and axum that of a route.
#[tokio::test]
async fn head_has_no_body_in_http2_either() {
    let lab = Lab::start(Default::default()).await;
    let mut stream = lab.connect().await;
    stream.write_all(&http2(b"\x02\x04HEAD\x04\x05/nope")).await.unwrap();
    let (kind, flags) = loop {
        let mut frame = [0; 9];
        in_time(stream.read_exact(&mut frame)).await.expect("an HTTP/2 frame");
        let [_, high, low, kind, flags, _, _, _, number] = frame;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        in_time(stream.read_exact(&mut payload)).await.expect("its payload");
        if number == 1 {
            break (kind, flags);
        }
    };
    const HEADERS: u8 = 1;
    const END_STREAM: u8 = 1;
    assert_eq!((kind, flags & END_STREAM), (HEADERS, END_STREAM));
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let lab = Lab::start(short()).await;
    let answer = lab.ask("GET /panic/ HTTP/1.1", "").await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    assert!(!answer.body.contains("hunter2"));
    assert_eq!(lab.ask("GET /hello/ HTTP/1.1", "").await.status, 200, "the server goes on");
}
