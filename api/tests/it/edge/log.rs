//! One line per request, and the metrics: nothing of a caller's text in either (THREATS A28).

use std::io;
use std::sync::{Arc, Mutex};

use keynest_api::middleware::Metrics;
use tracing_subscriber::fmt::MakeWriter;

use super::lab::{Lab, short};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_the_route_and_without_the_callers_text() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(kept.clone()).finish();
    // The runtime of this test has one thread, so that the server's tasks log here too.
    let _guard = tracing::subscriber::set_default(subscriber);
    let lab = Lab::start(short()).await;
    lab.ask("GET /items/77001/?token=hunter2 HTTP/1.1\nX-Request-Id: good.1", "").await;
    lab.ask("GET /hunter2%0aHTTP%1b[31m HTTP/1.1\nX-Request-Id: {\"hunter2\"}", "").await;
    lab.ask("HUNTER2 /hello/ HTTP/1.1", "").await;
    lab.post_json("/json/", r#"{"name":"hunter2","count":"hunter2"}"#).await;
    lab.ask("GET /panic/ HTTP/1.1", "").await;

    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(!text.to_lowercase().contains("hunter2") && !text.contains("77001"), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> =
        lines.iter().map(|line| &line["fields"]).filter(|it| it["message"] == "request").collect();
    assert_eq!(requests.len(), 5, "{text}");
    assert_eq!(requests[0]["route"], "/items/{id}/");
    assert_eq!(
        (&requests[0]["status"], &requests[0]["request_id"]),
        (&200.into(), &"good.1".into())
    );
    assert_eq!((&requests[1]["route"], &requests[1]["status"]), (&"unmatched".into(), &404.into()));
    assert_eq!((&requests[2]["method"], &requests[2]["status"]), (&"other".into(), &405.into()));
}

#[tokio::test]
async fn metrics_count_by_route_pattern_method_and_status() {
    let metrics = Metrics::install().unwrap();
    let lab = Lab::start(short()).await;
    for id in 1..=3 {
        lab.ask(&format!("GET /items/{id} HTTP/1.1"), "").await;
    }
    lab.ask("GET /secret-path HTTP/1.1", "").await;
    let text = metrics.render();
    let count = |labels: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("keynest_http_requests_total{{{labels}}}")));
        line.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
    };
    // Other tests of this binary run beside this one, so there may be more.
    assert!(count(r#"method="GET",route="/items/{id}/",status="200""#).unwrap() >= 3, "{text}");
    assert!(count(r#"method="GET",route="unmatched",status="404""#).unwrap() >= 1, "{text}");
    assert!(
        text.contains(
            r#"keynest_http_request_seconds_bucket{method="GET",route="/items/{id}/",le="0.005"}"#
        ),
        "{text}"
    );
    assert!(!text.contains("secret-path"));
}
