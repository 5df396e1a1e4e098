//! What a client needs to know before it calls (CONTRACT 2.7), from the real configuration.

use axum::Json;
use axum::extract::State;
use keynest_crypto::ACCESS_TOKEN_LIFETIME;
use keynest_crypto::password::PASSWORD_CHARS_MIN;
use keynest_domain::organization::MEMBERS_MAX;
use keynest_domain::{EMAIL_BYTES_MAX, VARIABLE_KEY_MAX, session};
use serde_json::{Value, json};

use super::endpoints;
use crate::App;

/// Describes the API.
#[utoipa::path(get, path = "/config/", tag = "auth", responses((status = 200, body = Object)))]
pub async fn handle(State(app): State<App>) -> Json<Value> {
    Json(json!({
        "api": {
            "base_url": app.settings.public_url,
            "version": env!("CARGO_PKG_VERSION"),
            "endpoints": endpoints::under("/api/"),
        },
        "authentication": {
            "method": "JWT",
            "token_header": "Authorization",
            "token_prefix": "Bearer",
            "access_token_lifetime": ACCESS_TOKEN_LIFETIME.secs(),
            "refresh_token_lifetime": session::IDLE.secs(),
            "auto_refresh": true,
            "rotate_refresh_tokens": true,
        },
        "oauth": { "enabled": false, "providers": {} },
        "features": features(),
        "validation": {
            "password_min_length": PASSWORD_CHARS_MIN,
            "username_min_length": 3,
            "email_max_length": EMAIL_BYTES_MAX,
            "organization_name_max_length": 255,
            "project_name_max_length": 255,
            "environment_name_max_length": 100,
            "variable_key_max_length": VARIABLE_KEY_MAX,
        },
        "limits": {
            "max_organizations_per_user": null,
            "max_members_per_organization": MEMBERS_MAX,
            "max_projects_per_organization": null,
            "max_environments_per_project": null,
            "max_variables_per_environment": null,
            "file_upload_max_size": format!("{}MB", app.settings.import_bytes_max / (1024 * 1024)),
            "rate_limit_per_minute": per_minute(&app),
        },
        "cors": {
            "enabled": true,
            "credentials": false,
            "methods": ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            "headers": ["authorization", "content-type", "idempotency-key", "keynest-min-position"],
        },
        "websocket": { "enabled": false, "url": null },
    }))
}

fn features() -> Value {
    json!({
        "registration": true, "email_verification": true, "password_reset": true, "organizations": true,
        "projects": true, "environments": true, "variables": true, "invitations": true, "notifications": true,
        "audit_logging": true, "file_export": ["env", "json", "yaml"], "file_import": ["env", "json", "yaml"],
    })
}

/// Of a signed-in user, rounded down.
fn per_minute(app: &App) -> u64 {
    let user = app.settings.throttles.user;
    u64::from(user.quota.get()) * 60 / user.window.as_secs().max(1)
}
