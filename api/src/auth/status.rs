//! What this server is and can do, and who is asking (CONTRACT 2.7), from the real configuration.

use axum::Json;
use axum::extract::State;
use keynest_crypto::ACCESS_TOKEN_LIFETIME;
use keynest_domain::session;
use serde_json::{Value, json};

use super::endpoints;
use crate::extract::MaybeCaller;
use crate::{App, Problem};

/// Describes the server and, with a good token, the caller.
#[utoipa::path(get, path = "/status/", tag = "auth", security((), ("bearer" = [])),
    responses((status = 200, body = Object)))]
pub async fn handle(State(app): State<App>, caller: MaybeCaller) -> Result<Json<Value>, Problem> {
    let profile = match caller.caller {
        Some(caller) => app.queries.profile(caller.user).await?,
        None => None,
    };
    let user = profile.as_ref().map(|profile| {
        json!({
            "user_id": profile.user.id.get(), "username": profile.user.username, "email": profile.user.email,
            "is_staff": false, "is_active": true,
        })
    });
    let stats = profile
        .as_ref()
        .map(|profile| json!({ "organization_count": profile.organizations.len() }));
    Ok(Json(json!({
        "status": "operational",
        "version": env!("CARGO_PKG_VERSION"),
        "django_version": null,
        "api_endpoints": {
            "authentication": endpoints::under("/api/auth/"),
            "oauth": {},
            "organizations": "/api/core/organizations/",
            "projects": "/api/core/projects/",
            "environments": "/api/core/environments/",
            "variables": "/api/core/variables/",
        },
        "features": {
            "jwt_authentication": true, "oauth_providers": [], "email_notifications": true,
            "organization_invitations": true, "project_notifications": true, "audit_logging": true,
            "rate_limiting": true, "encryption": true,
        },
        "token_config": {
            "access_token_lifetime_minutes": ACCESS_TOKEN_LIFETIME.secs() / 60,
            "refresh_token_lifetime_days": session::IDLE.secs() / 86_400,
            "rotate_refresh_tokens": true,
            "blacklist_after_rotation": true,
        },
        "user_info": user,
        "user_stats": stats,
        "cors_enabled": true,
        "debug_mode": false,
        "timestamp": app.commands.clock().now().iso(),
    })))
}
