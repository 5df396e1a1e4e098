//! What a frontend needs to show a button for a provider.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// A provider that is switched on.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigOAuthProvider)]
pub struct Described {
    /// What the button says.
    name: String,
    /// What the provider calls this application.
    client_id: String,
    scopes: Vec<String>,
    /// Where a client posts what it got from the provider itself, or the code of the callback.
    pub endpoint: String,
    /// Where the button leads.
    start_url: String,
    /// What has to be registered at the provider.
    redirect_uri: String,
}

/// All that are switched on.
pub fn described(app: &App) -> BTreeMap<String, Described> {
    let describe = |provider: &std::sync::Arc<crate::oauth::Provider>| {
        let settings = &provider.settings;
        let name = settings.name.as_str();
        let endpoint = match name {
            "google" | "github" => format!("/api/auth/oauth/{name}/"),
            _ => "/api/auth/oauth/exchange/".to_owned(),
        };
        let described = Described {
            name: settings.title.clone(),
            client_id: settings.client_id.clone(),
            scopes: settings.scopes.clone(),
            endpoint,
            start_url: format!("{}/api/auth/oauth/{name}/start/", app.settings.public_url),
            redirect_uri: app.redirect_uri(provider),
        };
        (name.to_owned(), described)
    };
    app.providers.list().iter().map(describe).collect()
}
