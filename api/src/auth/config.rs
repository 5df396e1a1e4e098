//! What a client needs to know before it calls (CONTRACT 2.7), from the real configuration.

use std::collections::BTreeMap;

use axum::extract::State;
use keynest_domain::limits::Policy;
use keynest_domain::organization::MEMBERS_MAX;
use keynest_domain::{EMAIL_BYTES_MAX, VARIABLE_KEY_MAX};
use serde::Serialize;
use utoipa::ToSchema;

use super::endpoints;
use super::features::Features;
use super::oauth::{Described, described};
use crate::extract::Json;
use crate::{API_VERSION, App};

/// The answer.
#[derive(Serialize, ToSchema)]
pub struct Config {
    api: Api,
    authentication: Authentication,
    oauth: OAuth,
    features: Features,
    validation: Validation,
    limits: Limits,
    cors: Cors,
    websocket: Websocket,
}

/// Where the API is.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigApi)]
struct Api {
    base_url: String,
    version: &'static str,
    endpoints: BTreeMap<&'static str, &'static str>,
}

/// How to show who calls. Lifetimes are in seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigAuthentication)]
struct Authentication {
    method: &'static str,
    token_header: &'static str,
    token_prefix: &'static str,
    access_token_lifetime: u32,
    refresh_token_lifetime: u32,
    auto_refresh: bool,
    rotate_refresh_tokens: bool,
}

/// Which identity providers there are.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigOAuth)]
struct OAuth {
    enabled: bool,
    /// By the name that is in their addresses.
    providers: BTreeMap<String, Described>,
}

/// What input must look like.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigValidation)]
struct Validation {
    password_min_length: usize,
    username_min_length: usize,
    email_max_length: usize,
    organization_name_max_length: usize,
    project_name_max_length: usize,
    environment_name_max_length: usize,
    variable_key_max_length: usize,
}

/// How much there may be; null is without a limit.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigLimits)]
struct Limits {
    max_organizations_per_user: Option<u32>,
    max_members_per_organization: usize,
    max_projects_per_organization: Option<u32>,
    max_environments_per_project: Option<u32>,
    max_variables_per_environment: Option<u32>,
    file_upload_max_size: String,
    rate_limit_per_minute: u64,
}

/// What browsers may do.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigCors)]
struct Cors {
    enabled: bool,
    credentials: bool,
    methods: [&'static str; 6],
    headers: [&'static str; 4],
}

/// Not offered.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigWebsocket)]
struct Websocket {
    enabled: bool,
    url: Option<String>,
}

/// Describes the API.
#[utoipa::path(get, path = "/config/", tag = "auth", operation_id = "config",
    responses((status = 200, body = Config)))]
pub async fn handle(State(app): State<App>) -> Json<Config> {
    let providers = described(&app);
    Json(Config {
        api: Api {
            base_url: app.settings.public_url.clone(),
            version: API_VERSION,
            endpoints: endpoints::under("/api/"),
        },
        authentication: Authentication {
            method: "JWT",
            token_header: "Authorization",
            token_prefix: "Bearer",
            access_token_lifetime: app.settings.access_token.secs(),
            refresh_token_lifetime: app.commands.settings().sessions.idle.secs(),
            auto_refresh: true,
            rotate_refresh_tokens: true,
        },
        oauth: OAuth { enabled: !providers.is_empty(), providers },
        features: Features::default(),
        validation: Validation {
            password_min_length: app.commands.settings().password_chars_min,
            username_min_length: 3,
            email_max_length: EMAIL_BYTES_MAX,
            organization_name_max_length: 255,
            project_name_max_length: 255,
            environment_name_max_length: 100,
            variable_key_max_length: VARIABLE_KEY_MAX,
        },
        limits: limits(&app),
        cors: Cors {
            enabled: true,
            credentials: false,
            methods: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            headers: ["authorization", "content-type", "idempotency-key", "keynest-min-position"],
        },
        websocket: Websocket { enabled: false, url: None },
    })
}

fn limits(app: &App) -> Limits {
    let user = app.throttle.changed().quota(Policy::User, None, app.throttle.configured());
    Limits {
        max_organizations_per_user: None,
        max_members_per_organization: MEMBERS_MAX,
        max_projects_per_organization: None,
        max_environments_per_project: None,
        max_variables_per_environment: None,
        file_upload_max_size: format!("{}MB", app.settings.import_bytes_max / (1024 * 1024)),
        // Of a signed-in user, rounded down.
        rate_limit_per_minute: u64::from(user.quota) * 60 / u64::from(user.window_seconds.max(1)),
    }
}
