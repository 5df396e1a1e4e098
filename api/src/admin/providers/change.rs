//! `PATCH providers/{key}/`: another name, client id, secret, scopes or origins. Key and issuer stay.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::provider::ChangeProvider;
use keynest_domain::ProviderName;
use keynest_domain::provider::Provider as Managed;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list, wish};
use crate::admin::Administrator;
use crate::core::given::Check;
use crate::extract::{Json, Path, Text};
use crate::oauth::{ProviderKind, ProviderSettings};
use crate::{App, Done, Problem};

/// The body; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangeProviderRequest)]
pub struct Request {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    client_id: Option<Text>,
    /// Sealed, and never shown again.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    client_secret: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Text>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    origins: Option<Vec<Text>>,
    /// Cannot be changed: identities belong to it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    issuer: Option<Text>,
    /// Cannot be changed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    key: Option<Text>,
}

/// Changes a provider. Asks for a fresh sign-in.
#[utoipa::path(
    patch, path = "/providers/{key}/", tag = "admin", operation_id = "change_provider",
    params(("key" = String, Path)), request_body = Request, responses(
        (status = 200, body = list::Provider),
        (status = 400, description = "`validation`, `issuer_unreachable`, `issuer_mismatch`, `issuer_not_allowed`, `issuer_document_invalid`"),
        (status = 403, description = "`not_administrator`, `step_up_required`"),
        (status = 404, description = "`oauth_provider_unknown`"),
        (status = 409, description = "`provider_configured`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Path(key): Path<String>,
    Json(request): Json<Request>,
) -> Result<Done<list::Provider>, Problem> {
    let name = list::named(&key)?;
    app.require_not_configured(&name)?;
    let managed = app.commands.managed_providers().await?;
    let known = managed.get(&name).ok_or_else(|| Problem::new("oauth_provider_unknown"))?;
    let wish = request.parse(&name, known)?;
    app.commands.may_manage_providers(&caller.origin).await?;
    if let Some(settings) = settings(&wish, known) {
        app.check_issuer(app.providers.candidate(settings)).await?;
    }
    let changed = app.commands.change_provider(&caller.origin, wish).await?;
    list::done(&app, StatusCode::OK, changed.position, &name).await
}

impl Request {
    fn parse(self, name: &ProviderName, known: &Managed) -> Result<ChangeProvider, Problem> {
        let mut check = Check::default();
        if self.issuer.is_some_and(|issuer| issuer.0 != known.issuer) {
            check.fail("issuer", "The issuer cannot be changed: set up another provider.");
        }
        if self.key.is_some_and(|key| key.0 != name.as_str()) {
            check.fail("key", "The key cannot be changed: set up another provider.");
        }
        let wish = ChangeProvider {
            name: name.clone(),
            title: self.name.and_then(|it| wish::title(&mut check, &it)),
            client_id: self.client_id.and_then(|it| wish::client_id(&mut check, &it)),
            client_secret: self.client_secret.and_then(|it| wish::client_secret(&mut check, &it)),
            scopes: self.scopes.and_then(|it| wish::scopes(&mut check, &it)),
            origins: self.origins.and_then(|it| wish::origins(&mut check, &it)),
        };
        check.done(Some(wish))
    }
}

/// What its issuer is to be asked with, where other hosts are to be believed; nothing secret is sent.
fn settings(wish: &ChangeProvider, known: &Managed) -> Option<ProviderSettings> {
    let origins = wish.origins.as_ref()?;
    Some(ProviderSettings {
        name: wish.name.clone(),
        title: known.title.clone(),
        client_id: known.client_id.clone(),
        client_secret: String::new().into(),
        scopes: known.scopes.clone(),
        kind: ProviderKind::oidc(&known.issuer, origins).expect("origins that were parsed"),
    })
}
