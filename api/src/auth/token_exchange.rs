//! `POST token/exchange/`: a token of a trusted issuer for a short-lived access token (RFC 8693), as far as a rule says.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::CONTENT_TYPE;
use keynest_commands::access::Refusal;
use keynest_commands::exchange::ExchangeToken;
use keynest_crypto::MachineClaims;
use keynest_domain::refusals::Scope;
use keynest_domain::{OrganizationId, TokenId};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::issuers::IssuerError;
use crate::core::given::Id;
use crate::extract::{Anyone, Json, decode};
use crate::server::read_body;
use crate::{App, Problem};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// What may be exchanged.
const SUBJECT_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];
const ROUTE: &str = "POST /api/auth/token/exchange/";

/// The body, as a form or as JSON. Holds a credential: no `Debug`.
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenExchangeWish)]
pub struct Wish {
    /// `urn:ietf:params:oauth:grant-type:token-exchange`.
    grant_type: String,
    /// The issuer's token.
    #[schema(format = Password)]
    subject_token: String,
    /// `urn:ietf:params:oauth:token-type:id_token` or `…:jwt`.
    subject_token_type: String,
    /// The number of the rule.
    #[schema(value_type = i64)]
    trust: Id,
}

/// The answer of RFC 8693.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenExchanged)]
pub struct Response {
    access_token: String,
    issued_token_type: &'static str,
    token_type: &'static str,
    /// In seconds.
    expires_in: i64,
}

impl FromRequest<App> for Wish {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let is_form = media.is_some_and(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form {
            return Json::<Self>::from_request(request, app).await.map(|Json(wish)| wish);
        }
        let bytes = read_body(request.into_body()).await?;
        let mut fields = serde_json::Map::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            if fields.insert(name.into_owned(), value.into_owned().into()).is_some() {
                return Err(Problem::new("invalid_body").detail("A field is there twice"));
            }
        }
        let json = serde_json::to_vec(&fields).map_err(|error| Problem::internal(&error))?;
        decode(&Bytes::from(json))
    }
}

impl Wish {
    fn check(&self) -> Result<(), Problem> {
        if self.grant_type != GRANT {
            return Err(Problem::validation([("grant_type", format!("Expected {GRANT}."))]));
        }
        if !SUBJECT_TYPES.contains(&self.subject_token_type.as_str()) {
            let text = format!("Expected {} or {}.", SUBJECT_TYPES[0], SUBJECT_TYPES[1]);
            return Err(Problem::validation([("subject_token_type", text)]));
        }
        Ok(())
    }
}

/// Exchanges a token of a trusted issuer.
#[utoipa::path(post, path = "/token/exchange/", tag = "tokens", operation_id = "exchange_token", security(()),
    request_body(content((Wish = "application/json"), (Wish = "application/x-www-form-urlencoded"))), responses(
        (status = 200, body = Response),
        (status = 400, description = "`exchange_token_invalid`, `exchange_refused`, `exchange_replayed`"),
        (status = 503, description = "`unavailable`: the issuer's keys cannot be had")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    wish: Wish,
) -> Result<Json<Response>, Problem> {
    wish.check()?;
    let trust = TokenId::new(wish.trust.0);
    let found = app.commands.trust(trust).await?;
    let organization = found.as_ref().map(|(organization, _)| *organization);
    let exchanged = match found {
        // The same answer as for a rule that does not fit: nobody learns which rules there are.
        None => Err(Problem::new("exchange_refused")),
        Some((organization, rule)) => {
            exchange(&app, &caller, &wish, (organization, trust), &rule.issuer).await
        }
    };
    if let Err(problem) = &exchanged {
        let scope = organization.map_or(Scope::Public, Scope::Organization);
        let object = Some(trust.to_string());
        let refusal = Refusal { scope, route: ROUTE.to_owned(), object, code: problem.code() };
        if let Err(error) = app.commands.record_refusal(&caller.origin, refusal).await {
            tracing::error!(%error, "a refusal could not be recorded");
        }
    }
    exchanged.map(Json)
}

async fn exchange(
    app: &App,
    caller: &Anyone,
    wish: &Wish,
    (organization, trust): (OrganizationId, TokenId),
    issuer: &str,
) -> Result<Response, Problem> {
    let now = app.commands.clock().now();
    let audience = &app.settings.public_url;
    let token = app.issuers.verify(issuer, audience, &wish.subject_token, now).await?;
    let wish = ExchangeToken {
        organization,
        trust,
        issuer: issuer.to_owned(),
        claims: token.claims,
        identity: token.identity,
    };
    let exchanged = app.commands.exchange_token(&caller.origin.once(), wish).await?;
    let expires_at = exchanged.outcome;
    let access = app.machine_tokens.mint(MachineClaims { trust, organization }, now, expires_at);
    Ok(Response {
        access_token: access.expose_secret().to_owned(),
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: expires_at.seconds() - now.seconds(),
    })
}

/// What is wrong with a token its bearer may know; what is wrong with an issuer is for those who run this.
impl From<IssuerError> for Problem {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::NotTrusted => Self::new("exchange_refused"),
            IssuerError::Token(why) => Self::new("exchange_token_invalid").detail(why.to_string()),
            IssuerError::Unreachable(_) | IssuerError::BadDocument(_) => Self::unavailable(&error),
        }
    }
}
