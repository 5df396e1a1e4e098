//! Headers of every answer, CORS, request ids and the client's address.

use keynest_api::middleware::{CorsOrigins, Proxies};

use super::lab::{FRONTEND, Lab, config, short};

#[tokio::test]
async fn every_answer_carries_the_fixed_headers() {
    let mut https = config();
    https.is_https = true;
    let lab = Lab::with(short(), https).await;
    for line in [
        "GET /hello/",
        "GET /nope/",
        "POST /hello/",
        "TRACE /hello/",
        "OPTIONS /hello/",
        "GET /panic/",
        "HEAD /nope/",
        "BREW /hello/",
        "GET /items/x/",
    ] {
        let answer = lab.ask(&format!("{line} HTTP/1.1"), "").await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-api-version", "1.0.0"),
            ("x-timestamp", "2026-03-04T05:06:07.000008+00:00"),
            ("x-request-id", "00000000-0000-0000-0000-00000000002a"),
            ("vary", "Origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{line}: {answer:?}");
        }
        assert!(answer.header("x-response-time").unwrap().ends_with("ms"));
    }
}

#[tokio::test]
async fn a_handler_may_have_its_own_policy_and_http_has_no_hsts() {
    let lab = Lab::start(short()).await;
    let answer = lab.ask("GET /own/ HTTP/1.1", "").await;
    assert_eq!(answer.header("content-security-policy"), Some("mine"));
    assert_eq!(answer.header("cache-control"), Some("max-age=9"));
    assert_eq!(answer.header("strict-transport-security"), None);
}

#[tokio::test]
async fn a_harmless_request_id_is_echoed_and_a_strange_one_replaced() {
    let lab = Lab::start(short()).await;
    let answer = lab.ask("GET /nope/ HTTP/1.1\nX-Request-Id: my-id.1", "").await;
    assert_eq!(answer.header("x-request-id"), Some("my-id.1"));
    assert_eq!(
        (&answer.json()["request_id"], &answer.json()["instance"]),
        (&"my-id.1".into(), &"/nope/".into())
    );
    let answer = lab.ask("GET /nope/ HTTP/1.1\nX-Request-Id: <script>", "").await;
    assert_eq!(answer.header("x-request-id"), Some("00000000-0000-0000-0000-00000000002a"));
}

#[tokio::test]
async fn the_frontend_may_read_every_answer_also_errors() {
    let lab = Lab::start(short()).await;
    let mut lines =
        vec!["GET /hello/", "GET /nope/", "POST /hello/", "GET /panic/", "GET /items/x/"];
    lines.extend(["POST /login/"; 6]);
    let mut statuses = Vec::new();
    for line in lines {
        let answer = lab.ask(&format!("{line} HTTP/1.1\nOrigin: {FRONTEND}"), "").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRONTEND), "{line}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in
            ["KeyNest-Position", "RateLimit", "Retry-After", "X-Request-Id", "Content-Disposition"]
        {
            assert!(exposed.split(", ").any(|there| there == name), "{name}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 404, 405, 500, 404, 400, 400, 400, 400, 400, 429]);
}

#[tokio::test]
async fn a_preflight_is_answered_without_asking_a_route() {
    let lab = Lab::start(short()).await;
    let preflight = |path: &str| {
        format!(
            "OPTIONS {path} HTTP/1.1\nOrigin: {FRONTEND}\nAccess-Control-Request-Method: DELETE"
        )
    };
    // A route would have to be found first.
    assert_eq!(lab.ask(&preflight("/nope"), "").await.status, 204);
    let answer = lab.ask(&preflight("/hello/"), "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-max-age"), Some("86400"));
    let (methods, headers) = (
        answer.header("access-control-allow-methods"),
        answer.header("access-control-allow-headers"),
    );
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(methods.unwrap().contains(method), "{method}");
    }
    for name in ["Authorization", "Content-Type", "Idempotency-Key", "KeyNest-Min-Position"] {
        assert!(headers.unwrap().contains(name), "{name}");
    }
    assert_eq!(lab.hits(), 0);
}

#[tokio::test]
async fn foreign_origins_see_no_cors_header() {
    let lab = Lab::start(short()).await;
    for origin in [
        "https://evil.test",
        "null",
        "http://localhost:3000.evil.test",
        "http://localhost",
        "https://localhost:3000",
        "HTTP://LOCALHOST:3000",
        "http://localhost:3000, https://evil.test",
    ] {
        for line in ["GET /hello/", "GET /nope/", "OPTIONS /hello/"] {
            let lines =
                format!("{line} HTTP/1.1\nOrigin: {origin}\nAccess-Control-Request-Method: GET");
            let answer = lab.ask(&lines, "").await;
            assert!(
                !answer.head.to_lowercase().contains("access-control-"),
                "{origin}: {answer:?}"
            );
        }
    }
    assert!(CorsOrigins::parse(["null"]).is_err());
}

#[tokio::test]
async fn only_a_listed_proxy_may_tell_the_address() {
    let forged = "GET /whoami/ HTTP/1.1\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\nX-Real-IP: 6.6.6.6\nForwarded: for=6.6.6.6";
    let lab = Lab::start(short()).await;
    assert_eq!(lab.ask(forged, "").await.body.split(' ').next(), Some("127.0.0.1"));
    let mut proxied = config();
    proxied.proxies =
        Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
    let lab = Lab::with(short(), proxied).await;
    assert_eq!(lab.ask(forged, "").await.body.split(' ').next(), Some("192.0.2.7"));
}
