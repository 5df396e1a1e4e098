//! `GET providers/` and `GET providers/{key}/`: where people may come from, without anything secret.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_domain::ProviderName;
use keynest_domain::provider::Provider as Managed;
use keynest_store::Position;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Administrator;
use crate::extract::{Json, Path};
use crate::oauth::{Provider as Running, ProviderKind};
use crate::{App, Done, Problem};

/// A provider as administrators of the instance see it. Its secret is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminProvider)]
pub struct Provider {
    /// Its place in addresses and in `config/`.
    key: String,
    /// What a button says.
    name: String,
    issuer: String,
    client_id: String,
    scopes: Vec<String>,
    /// Hosts besides the issuer's that its document may name.
    origins: Vec<String>,
    /// Whether it is the configuration's, which is not changed here.
    is_configured: bool,
    /// Whether people can come from there now.
    is_on: bool,
    /// What has to be registered at the provider.
    redirect_uri: String,
    #[schema(format = DateTime)]
    added_at: Option<String>,
    #[schema(format = DateTime)]
    changed_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AdminProviders)]
pub struct Response {
    providers: Vec<Provider>,
}

/// All providers: those of the configuration, then those that administrators set up, by key.
#[utoipa::path(
    get, path = "/providers/", tag = "admin", operation_id = "list_providers", responses(
        (status = 200, body = Response),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn all(State(app): State<App>, _: Administrator) -> Result<Json<Response>, Problem> {
    let managed = app.commands.managed_providers().await?;
    let configured = app.providers.configured().map(|it| Provider::configured(&app, it));
    let managed = managed.iter().map(|(name, it)| Provider::managed(&app, name, it));
    Ok(Json(Response { providers: configured.chain(managed).collect() }))
}

/// One provider.
#[utoipa::path(
    get, path = "/providers/{key}/", tag = "admin", operation_id = "show_provider",
    params(("key" = String, Path)), responses(
        (status = 200, body = Provider),
        (status = 403, description = "`not_administrator`"),
        (status = 404, description = "`oauth_provider_unknown`"),
    ),
    security(("bearer" = [])),
)]
pub async fn one(
    State(app): State<App>,
    _: Administrator,
    Path(key): Path<String>,
) -> Result<Json<Provider>, Problem> {
    let name = named(&key)?;
    if let Some(it) = app.providers.configured().find(|it| it.settings.name == name) {
        return Ok(Json(Provider::configured(&app, it)));
    }
    Ok(Json(shown(&app, &name).await?))
}

/// A key that can be one.
pub fn named(key: &str) -> Result<ProviderName, Problem> {
    ProviderName::parse(key).map_err(|_| Problem::new("oauth_provider_unknown"))
}

/// The answer to a change, once this process goes by it.
pub async fn done(
    app: &App,
    status: StatusCode,
    position: Option<Position>,
    name: &ProviderName,
) -> Result<Done<Provider>, Problem> {
    app.providers.wait_for(position).await;
    let body = shown(app, name).await?;
    Ok(app.done(status, position, &[], body).await)
}

async fn shown(app: &App, name: &ProviderName) -> Result<Provider, Problem> {
    let managed = app.commands.managed_providers().await?;
    let managed = managed.get(name).ok_or_else(|| Problem::new("oauth_provider_unknown"))?;
    Ok(Provider::managed(app, name, managed))
}

impl Provider {
    fn configured(app: &App, it: &Running) -> Self {
        let settings = &it.settings;
        let origins = match &settings.kind {
            ProviderKind::Oidc { origins, .. } => origins.iter().map(ToString::to_string).collect(),
            ProviderKind::GitHub { api, .. } => vec![api.clone()],
        };
        Self {
            key: settings.name.to_string(),
            name: settings.title.clone(),
            issuer: it.issuer().to_owned(),
            client_id: settings.client_id.clone(),
            scopes: settings.scopes.clone(),
            origins,
            is_configured: true,
            is_on: true,
            redirect_uri: app.redirect_uri_of(&settings.name),
            added_at: None,
            changed_at: None,
        }
    }

    fn managed(app: &App, name: &ProviderName, it: &Managed) -> Self {
        let running = app.providers.find(name.as_str());
        Self {
            key: name.to_string(),
            name: it.title.clone(),
            issuer: it.issuer.clone(),
            client_id: it.client_id.clone(),
            scopes: it.scopes.clone(),
            origins: it.origins.clone(),
            is_configured: false,
            is_on: running.is_some_and(|running| running.is_as_of(it)),
            redirect_uri: app.redirect_uri_of(name),
            added_at: Some(it.added_at.iso()),
            changed_at: Some(it.changed_at.iso()),
        }
    }
}
