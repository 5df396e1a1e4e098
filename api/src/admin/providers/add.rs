//! `POST providers/`: set a provider up. Its issuer is asked first; people can come from there at once.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::provider::AddProvider;
use keynest_domain::ProviderName;
use keynest_domain::provider::SCOPES_USUAL;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list, wish};
use crate::admin::Administrator;
use crate::core::given::Check;
use crate::extract::{Json, Text};
use crate::oauth::{ProviderKind, ProviderSettings};
use crate::{App, Done, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = AddProviderRequest)]
pub struct Request {
    /// 2 to 32 lower-case letters, digits and hyphens; a part of the redirect URI, for ever.
    #[schema(value_type = String, example = "work")]
    key: Text,
    /// What a button says; the key if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Option<Text>,
    /// Exactly as the provider's discovery document has it; never changes.
    #[schema(value_type = String, example = "https://login.example.com/realms/work")]
    issuer: Text,
    #[schema(value_type = String)]
    client_id: Text,
    /// Sealed, and never shown again.
    #[schema(value_type = String)]
    client_secret: Text,
    /// `openid`, `email` and `profile` if absent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Text>>,
    /// Hosts besides the issuer's that its document names.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    origins: Option<Vec<Text>>,
}

/// Sets a provider up. Asks for a fresh sign-in.
#[utoipa::path(
    post, path = "/providers/", tag = "admin", operation_id = "add_provider", request_body = Request,
    responses(
        (status = 201, body = list::Provider),
        (status = 400, description = "`validation`, `issuer_unreachable`, `issuer_mismatch`, `issuer_not_allowed`, `issuer_document_invalid`, `too_many_providers`"),
        (status = 403, description = "`not_administrator`, `step_up_required`"),
        (status = 409, description = "`provider_known`, `provider_configured`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Json(request): Json<Request>,
) -> Result<Done<list::Provider>, Problem> {
    let wish = request.parse()?;
    let name = wish.name.clone();
    app.require_not_configured(&name)?;
    app.commands.may_manage_providers(&caller.origin).await?;
    if app.commands.managed_providers().await?.get(&name).is_some() {
        return Err(Problem::new("provider_known"));
    }
    app.check_issuer(app.providers.candidate(settings(&wish))).await?;
    let added = app.commands.add_provider(&caller.origin, wish).await?;
    list::done(&app, StatusCode::CREATED, added.position, &name).await
}

impl Request {
    fn parse(self) -> Result<AddProvider, Problem> {
        let mut check = Check::default();
        let name = check.field("key", &self.key, ProviderName::parse);
        let title = wish::title(&mut check, self.name.as_ref().unwrap_or(&self.key));
        let issuer = wish::issuer(&mut check, &self.issuer);
        let client_id = wish::client_id(&mut check, &self.client_id);
        let client_secret = wish::client_secret(&mut check, &self.client_secret);
        let scopes = match &self.scopes {
            Some(scopes) => wish::scopes(&mut check, scopes),
            None => Some(SCOPES_USUAL.map(str::to_owned).to_vec()),
        };
        let origins = wish::origins(&mut check, self.origins.as_deref().unwrap_or_default());
        let wish = || {
            Some(AddProvider {
                name: name?,
                issuer: issuer?,
                title: title?,
                client_id: client_id?,
                client_secret: client_secret?,
                scopes: scopes?,
                origins: origins?,
            })
        };
        check.done(wish())
    }
}

fn settings(wish: &AddProvider) -> ProviderSettings {
    ProviderSettings {
        name: wish.name.clone(),
        title: wish.title.clone(),
        client_id: wish.client_id.clone(),
        client_secret: wish.client_secret.clone(),
        scopes: wish.scopes.clone(),
        kind: ProviderKind::oidc(&wish.issuer, &wish.origins).expect("origins that were parsed"),
    }
}
