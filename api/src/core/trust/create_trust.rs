//! `POST organizations/{id}/trusts/`: tokens of an issuer are exchanged, if their claims say what this rule asks.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::CreateTrust;
use keynest_crypto::MACHINE_TOKEN_LIFETIME_MAX;
use keynest_domain::OrganizationId;
use keynest_domain::condition::{self, Condition};
use keynest_domain::organization::ServiceRole;
use keynest_projections::names;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::MODELS;
use crate::core::given::{Check, Id};
use crate::core::service_token::role;
use crate::extract::{Caller, Json, Path, Text};
use crate::token::Wish;
use crate::{App, Done, Problem};

/// Of an access token, if the rule does not say.
const LIFETIME_MINUTES: u32 = 15;

#[derive(Deserialize, ToSchema)]
#[schema(as = TrustWish)]
pub struct Request {
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Text,
    /// `read`, which is the default, or `write`.
    #[schema(value_type = Option<String>)]
    access: Option<Text>,
    /// The whole organization. Without it, at least one place in it is named.
    #[serde(default)]
    everywhere: bool,
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    projects: Vec<Id>,
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    environments: Vec<Id>,
    /// One of those that the server is configured to trust.
    #[schema(value_type = String)]
    issuer: Text,
    /// All of them must hold; one is about `sub`.
    conditions: Vec<Claim>,
    /// `viewer`, which is the default, or `editor`.
    #[schema(value_type = Option<String>)]
    role: Option<Text>,
    /// How long an access token is good: 1 to 60, 15 if it is not given.
    lifetime_minutes: Option<u32>,
}

/// One claim, and the pattern that it must match as a whole.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = TrustCondition)]
pub struct Claim {
    pub claim: String,
    /// `*` stands for any characters but `/` and `:`, `**` for any characters.
    pub pattern: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TrustCreated)]
pub struct Response {
    message: &'static str,
    /// To be named in every exchange.
    id: i64,
}

impl Request {
    fn parse(self, app: &App, id: i64) -> Result<CreateTrust, Problem> {
        let mut check = Check::default();
        let role = check.optional("role", self.role.as_ref(), role).unwrap_or(ServiceRole::Viewer);
        let issuer = self.issuer.0.trim().to_owned();
        if !app.settings.exchange.issuers.contains(&issuer) {
            check.fail("issuer", "The server is not configured to trust this issuer.");
        }
        let conditions = self.conditions.into_iter();
        let conditions: Vec<Condition> =
            conditions.map(|it| Condition { claim: it.claim, pattern: it.pattern }).collect();
        check.kept("conditions", condition::check(&conditions));
        let most = MACHINE_TOKEN_LIFETIME_MAX.secs() / 60;
        let lifetime_minutes = self.lifetime_minutes.unwrap_or(LIFETIME_MINUTES);
        if lifetime_minutes == 0 || lifetime_minutes > most {
            check.fail("lifetime_minutes", format!("Expected 1 to {most} minutes."));
        }
        let organization = OrganizationId::new(id);
        let (name, access, everywhere) = (self.name, self.access, self.everywhere);
        let (projects, environments) = (self.projects, self.environments);
        let wish = Wish { name, access, everywhere, projects, environments, ..Wish::default() };
        let scoped = wish.scope(&mut check);
        check.done(scoped.map(|(name, scope)| CreateTrust {
            organization,
            name,
            issuer,
            conditions,
            role,
            scope,
            lifetime_minutes,
        }))
    }
}

/// Makes a rule. Asks for a sign-in of the last minutes.
#[utoipa::path(
    post, path = "/organizations/{id}/trusts/", tag = "tokens", operation_id = "create_trust",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 201, body = Response),
        (status = 400, description = "`too_many_tokens`"),
        (status = 403, description = "`role_too_weak`, `step_up_required`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Response>, Problem> {
    let wish = request.parse(&app, id)?;
    let made = app.commands.create_trust(&caller.origin, wish).await?;
    let body = Response { message: "Rule created.", id: made.outcome.get() };
    let models = [MODELS, &[names::TOKENS]].concat();
    Ok(app.done(StatusCode::CREATED, made.position, &models, body).await)
}
