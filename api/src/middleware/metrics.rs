//! Counts and latencies by route, and the text that Prometheus reads.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "keynest_http_requests_total";
const SECONDS: &str = "keynest_http_request_seconds";
/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The recorder of this process could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the metrics recorder")]
pub struct MetricsError(#[from] BuildError);

/// Everything that was measured in this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder; once in a process, before anything is measured.
    pub fn install() -> Result<Self, MetricsError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?;
        let handle = builder.install_recorder()?;
        metrics::describe_counter!(REQUESTS, "Requests by method, route pattern and status");
        metrics::describe_histogram!(
            SECONDS,
            metrics::Unit::Seconds,
            "From head to answer, by method and route"
        );
        Ok(Self(handle))
    }

    /// The text format of Prometheus.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    /// The answer of `/metrics`.
    pub fn answer(&self) -> impl IntoResponse + use<> {
        ([(axum::http::header::CONTENT_TYPE, CONTENT_TYPE)], self.render())
    }
}

/// Counts an answer. The labels are of bounded number: no path, no method that a caller made up.
pub fn count(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = known(method);
    let route = route.to_owned();
    metrics::counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!(SECONDS, "method" => method, "route" => route).record(took);
}

/// The method, if it is one that some route may have.
pub fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
