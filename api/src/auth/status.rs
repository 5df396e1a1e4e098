//! What this server is and can do, and who is asking (CONTRACT 2.7), from the real configuration.

use std::collections::BTreeMap;

use axum::extract::State;
use keynest_projections::Profile;
use serde::Serialize;
use utoipa::ToSchema;

use super::endpoints;
use super::oauth::described;
use crate::extract::{Json, MaybeCaller};
use crate::{API_VERSION, App, Problem};

/// The answer.
#[derive(Serialize, ToSchema)]
pub struct Status {
    status: &'static str,
    version: &'static str,
    /// Always null; the existing frontend's type has it.
    django_version: Option<String>,
    api_endpoints: Endpoints,
    features: Features,
    token_config: TokenConfig,
    /// Who asks; null without a good token.
    user_info: Option<UserInfo>,
    user_stats: Option<UserStats>,
    cors_enabled: bool,
    debug_mode: bool,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// Paths.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusEndpoints)]
struct Endpoints {
    authentication: BTreeMap<&'static str, &'static str>,
    oauth: BTreeMap<String, String>,
    organizations: &'static str,
    projects: &'static str,
    environments: &'static str,
    variables: &'static str,
}

/// What is switched on.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusFeatures)]
struct Features {
    jwt_authentication: bool,
    oauth_providers: Vec<String>,
    email_notifications: bool,
    organization_invitations: bool,
    project_notifications: bool,
    audit_logging: bool,
    rate_limiting: bool,
    encryption: bool,
}

/// How long tokens live.
#[derive(Serialize, ToSchema)]
struct TokenConfig {
    access_token_lifetime_minutes: u32,
    refresh_token_lifetime_days: u32,
    rotate_refresh_tokens: bool,
    blacklist_after_rotation: bool,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct UserInfo {
    user_id: i64,
    username: String,
    email: String,
    is_staff: bool,
    is_active: bool,
}

/// What the caller has.
#[derive(Serialize, ToSchema)]
struct UserStats {
    organization_count: usize,
}

/// Describes the server and, with a good token, the caller.
#[utoipa::path(get, path = "/status/", tag = "auth", operation_id = "status", security((), ("bearer" = [])),
    responses((status = 200, body = Status)))]
pub async fn handle(State(app): State<App>, caller: MaybeCaller) -> Result<Json<Status>, Problem> {
    let profile = match caller.caller {
        Some(caller) => app.queries.profile(caller.user).await?,
        None => None,
    };
    let stats = |profile: &Profile| UserStats { organization_count: profile.organizations.len() };
    Ok(Json(Status {
        status: "operational",
        version: API_VERSION,
        django_version: None,
        api_endpoints: Endpoints {
            authentication: endpoints::under("/api/auth/"),
            oauth: oauth_endpoints(&app),
            organizations: "/api/core/organizations/",
            projects: "/api/core/projects/",
            environments: "/api/core/environments/",
            variables: "/api/core/variables/",
        },
        features: Features {
            jwt_authentication: true,
            oauth_providers: oauth_endpoints(&app).into_keys().collect(),
            email_notifications: true,
            organization_invitations: true,
            project_notifications: true,
            audit_logging: true,
            rate_limiting: true,
            encryption: true,
        },
        token_config: TokenConfig {
            access_token_lifetime_minutes: app.settings.access_token.secs() / 60,
            refresh_token_lifetime_days: {
                app.commands.settings().sessions.idle.secs().div_ceil(86_400)
            },
            rotate_refresh_tokens: true,
            blacklist_after_rotation: true,
        },
        user_info: profile.as_ref().map(UserInfo::from),
        user_stats: profile.as_ref().map(stats),
        cors_enabled: true,
        debug_mode: false,
        timestamp: app.commands.clock().now().iso(),
    }))
}

/// Where what each provider gave is posted.
fn oauth_endpoints(app: &App) -> BTreeMap<String, String> {
    described(app).into_iter().map(|(name, it)| (name, it.endpoint)).collect()
}

impl From<&Profile> for UserInfo {
    fn from(profile: &Profile) -> Self {
        Self {
            user_id: profile.user.id.get(),
            username: profile.user.username.clone(),
            email: profile.user.email.clone(),
            is_staff: false,
            is_active: true,
        }
    }
}
