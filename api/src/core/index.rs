//! What is where: `GET /api/` and `GET /api/core/`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Json, Principal};
use crate::{API_VERSION, App};

#[derive(Serialize, ToSchema)]
#[schema(as = Index)]
pub struct Index {
    message: &'static str,
    version: &'static str,
    description: &'static str,
    documentation: Documentation,
    endpoints: Endpoints,
    features: [&'static str; 8],
}

#[derive(Serialize, ToSchema)]
struct Documentation {
    openapi: String,
    browse: String,
    status: String,
    config: String,
}

#[derive(Serialize, ToSchema)]
struct Endpoints {
    authentication: String,
    organizations: String,
    projects: String,
    environments: String,
    variables: String,
    audit_logs: String,
    health: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CoreIndex)]
pub struct Collections {
    organizations: String,
    projects: String,
    environments: String,
    variables: String,
    #[serde(rename = "audit-logs")]
    audit_logs: String,
}

const FEATURES: [&str; 8] = [
    "Sealed values with keys of their own per environment",
    "Roles for teams: admin, editor, viewer",
    "Invitations by mail",
    "Import and export of env, JSON and YAML files",
    "A version for every value",
    "An audit log of every change, every reading and every refusal",
    "Sessions that end everywhere at once",
    "Events as the source of truth",
];

/// Where everything is.
#[utoipa::path(get, path = "/api/", tag = "index", operation_id = "index",
    responses((status = 200, body = Index)))]
pub async fn root(State(app): State<App>) -> Json<Index> {
    let at = |path: &str| format!("{}{path}", app.settings.public_url);
    Json(Index {
        message: "Welcome to KeyNest",
        version: API_VERSION,
        description: "Environment variables and secrets of teams, and everything that ever happened to them.",
        documentation: Documentation {
            openapi: at("/api/openapi.json"),
            browse: at("/api/docs"),
            status: at("/api/auth/status/"),
            config: at("/api/auth/config/"),
        },
        endpoints: Endpoints {
            authentication: at("/api/auth/"),
            organizations: at("/api/core/organizations/"),
            projects: at("/api/core/projects/"),
            environments: at("/api/core/environments/"),
            variables: at("/api/core/variables/"),
            audit_logs: at("/api/core/audit-logs/"),
            health: at("/health/"),
        },
        features: FEATURES,
    })
}

/// The collections.
#[utoipa::path(get, path = "/api/core/", tag = "index", operation_id = "core_index",
    responses((status = 200, body = Collections)), security(("bearer" = [])))]
pub async fn core(State(app): State<App>, _: Principal) -> Json<Collections> {
    let at = |name: &str| format!("{}/api/core/{name}/", app.settings.public_url);
    Json(Collections {
        organizations: at("organizations"),
        projects: at("projects"),
        environments: at("environments"),
        variables: at("variables"),
        audit_logs: at("audit-logs"),
    })
}

/// Both, under their whole paths.
pub fn index_router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(root)).routes(routes!(core))
}
