//! Whether the process lives, and whether it should get requests (DESIGN 9).

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router, routing::get};
use keynest_domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::middleware::Metrics;
use crate::{API_VERSION, App};

/// How far this process's clock and the database's may differ, in seconds, before it is not ready (DESIGN 9).
pub const SKEW_SECONDS_MAX: i64 = 5;
/// How far a read model may be behind, in seconds, before the process is not ready.
pub const LAG_SECONDS_MAX: f64 = 30.0;

/// The answer of `/health/`.
#[derive(Serialize, ToSchema)]
pub struct Alive {
    status: &'static str,
    service: &'static str,
    version: &'static str,
}

/// The answer of `/health/ready`.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    /// `ready` or `not_ready`.
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize, ToSchema)]
struct Check {
    name: &'static str,
    is_good: bool,
    /// What was measured, without names or addresses.
    detail: String,
}

/// Whether the process lives.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(alive))
}

/// For whoever runs the process; not throttled, not part of the documented API.
pub fn operations_router(metrics: Option<Metrics>) -> Router<App> {
    with_metrics(Router::new().route("/health/ready/", get(ready)), metrics)
}

/// The same for a process that serves no callers: what has become of their sessions does not concern it.
pub fn quiet_operations_router(metrics: Option<Metrics>) -> Router<App> {
    with_metrics(Router::new().route("/health/ready/", get(quiet_ready)), metrics)
}

fn with_metrics(routes: Router<App>, metrics: Option<Metrics>) -> Router<App> {
    match metrics {
        Some(metrics) => routes.route("/metrics/", get(async move || metrics.answer())),
        None => routes,
    }
}

/// Says that the process lives.
#[utoipa::path(get, path = "/health/", tag = "operations", operation_id = "health",
    responses((status = 200, body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "healthy", service: "keynest", version: API_VERSION })
}

async fn ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let checks =
        vec![store(&app).await, read_models(&app).await, clock(&app).await, sessions(&app)];
    answer(&app, checks)
}

async fn quiet_ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let checks = vec![store(&app).await, read_models(&app).await, clock(&app).await];
    answer(&app, checks)
}

fn answer(app: &App, mut checks: Vec<Check>) -> (StatusCode, Json<Ready>) {
    if app.leave.is_cancelled() {
        let detail = "was asked to stop".to_owned();
        checks.push(Check { name: "stopping", is_good: false, detail });
    }
    let is_ready = checks.iter().all(|check| check.is_good);
    let (code, status) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    (code, Json(Ready { status, checks }))
}

async fn store(app: &App) -> Check {
    let store = app.commands.store();
    let (is_good, detail) = match (store.head().await, store.overtaken()) {
        (Err(_), _) => (false, "does not answer".to_owned()),
        (Ok(_), None) => (true, "answers".to_owned()),
        (Ok(_), Some((log, highest))) => {
            let detail = format!("at format level {log}, this process reads up to {highest}");
            (false, detail)
        }
    };
    Check { name: "store", is_good, detail }
}

async fn read_models(app: &App) -> Check {
    let name = "read_models";
    match app.projections.status().await {
        Err(_) => Check { name, is_good: false, detail: "do not answer".to_owned() },
        Ok(models) => {
            let lag = models.iter().map(|model| model.seconds_behind).fold(0.0, f64::max);
            Check { name, is_good: lag <= LAG_SECONDS_MAX, detail: format!("{lag:.1} s behind") }
        }
    }
}

async fn clock(app: &App) -> Check {
    let name = "clock";
    match app.queries.database_time().await {
        Err(_) => Check { name, is_good: false, detail: "the database does not answer".to_owned() },
        Ok(there) => {
            let skew = skew_seconds(app.commands.clock().system(), there);
            Check {
                name,
                is_good: skew <= SKEW_SECONDS_MAX,
                detail: format!("{skew} s from the database's"),
            }
        }
    }
}

fn sessions(app: &App) -> Check {
    let is_good = app.revocations.is_fresh();
    let detail =
        if is_good { "ended sessions are known" } else { "ended sessions are not known yet" };
    Check { name: "sessions", is_good, detail: detail.to_owned() }
}

fn skew_seconds(here: Timestamp, there: Timestamp) -> i64 {
    (here.micros() - there.micros()).abs() / 1_000_000
}
