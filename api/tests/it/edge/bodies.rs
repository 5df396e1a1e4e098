//! Bodies and query strings that are too large, malformed or of the wrong type.

use tokio::io::AsyncWriteExt;

use super::lab::{Lab, answer, read_until, short};

const MIB: usize = 1_024 * 1_024;

#[tokio::test]
async fn a_body_above_the_limit_is_413_and_a_route_may_have_its_own_limit() {
    let lab = Lab::start(Default::default()).await;
    for (path, size, status) in [
        ("/echo", MIB, 200),
        ("/echo", MIB + 1, 413),
        ("/large/", 2 * MIB, 200),
        ("/large/", 3 * MIB + 1, 413),
    ] {
        let answer = lab.ask(&format!("POST {path} HTTP/1.1"), &"x".repeat(size)).await;
        assert_eq!(answer.status, status, "{path} {size}");
    }
}

#[tokio::test]
async fn an_announced_size_above_the_limit_is_refused_before_the_body_comes() {
    let lab = Lab::start(Default::default()).await;
    let head = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000000\r\n\r\n";
    let answer = answer(&lab.raw(head).await);
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn a_chunked_body_is_cut_at_the_limit() {
    let lab = Lab::start(Default::default()).await;
    let chunk = format!("{MIB:x}\r\n{}\r\n", "x".repeat(MIB));
    let head = "POST /echo HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = answer(&lab.raw(format!("{head}{chunk}{chunk}")).await);
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn bad_json_is_invalid_json_and_bad_fields_are_named() {
    let lab = Lab::start(short()).await;
    for body in [
        "{",
        "{} {}",
        r#"{"name":1,"name":2}"#,
        r#"{"name":"\ud800"}"#,
        r#"{"count":1e400}"#,
        "[[[[",
    ] {
        let answer = lab.post_json("/json/", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_json"), "{body}");
    }
    let answer = lab.post_json("/json/", r#"{"count":"x"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "validation"));
    let json = answer.json();
    assert_eq!(json["name"], serde_json::json!(["This field is required."]));
    assert_eq!(
        json["details"]["count"],
        serde_json::json!(["Not valid: expected i64, not a string."])
    );
    for body in ["[]", "3", "null"] {
        let answer = lab.post_json("/json/", body).await;
        assert_eq!(answer.json()["non_field_errors"][0], "Expected an object.", "{body}");
    }
    let good = lab.post_json("/json/", r#"{"name":12,"count":3,"provider":"google"}"#).await;
    assert_eq!((good.status, good.body.as_str()), (200, "12 3"));
}

#[tokio::test]
async fn other_content_types_are_415_and_no_body_may_be_allowed() {
    let lab = Lab::start(short()).await;
    for field in
        ["X: y", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded"]
    {
        let answer =
            lab.ask(&format!("POST /json/ HTTP/1.1\n{field}"), r#"{"name":1,"count":1}"#).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "unsupported_media_type"),
            "{field}"
        );
    }
    assert_eq!(lab.ask("POST /maybe/ HTTP/1.1", "").await.body, "None");
    assert_eq!(lab.post_json("/maybe/", r#"{"page":3}"#).await.body, "Some(3)");
    assert_eq!(lab.ask("POST /maybe/ HTTP/1.1", "x").await.status, 415);
}

#[tokio::test]
async fn bad_query_parameters_are_named() {
    let lab = Lab::start(short()).await;
    let good = lab.ask("GET /page/?page=2&other=x HTTP/1.1", "").await;
    assert_eq!(good.body, "Some(2) None");
    for (query, fields) in [
        ("page=x", &["page"][..]),
        ("page=", &["page"]),
        ("page=-1&page_size=4294967296", &["page", "page_size"]),
        ("page=1&page=2", &["page"]),
    ] {
        let answer = lab.ask(&format!("GET /page/?{query} HTTP/1.1"), "").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "validation"), "{query}");
        let details = answer.json()["details"].clone();
        let named: Vec<_> = details.as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, fields, "{query}");
    }
}

#[tokio::test]
async fn a_client_that_still_sends_after_an_early_answer_is_not_cut_off() {
    let lab = Lab::start(Default::default()).await;
    let mut stream = lab.connect().await;
    let size = 3 * MIB;
    let head = format!("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "}").await.starts_with("HTTP/1.1 413"));
    stream.write_all(&vec![b'x'; size]).await.expect("the rest is taken and thrown away");
}
