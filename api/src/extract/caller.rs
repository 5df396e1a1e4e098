//! Who calls: the bearer token checked, the client's address, the idempotent command id.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use keynest_commands::{Client, Origin, Repeatable};
use keynest_crypto::MachineTokens;
use keynest_domain::{RequestId, SessionId, UserId, Visit};
use keynest_projections::Reader;

use super::Principal;
use crate::middleware::{ClientAddress, RequestIdentity};
use crate::{App, Problem, auth};

/// Longest `User-Agent` that is kept, in characters.
const AGENT_CHARS_MAX: usize = 200;
/// What every personal and service token begins with.
pub const TOKEN_PREFIX: &str = "kn_";

/// A caller with a good access token of a living session. Personal and service tokens are refused: the default for every
/// route.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Caller {
    pub user: UserId,
    pub session: SessionId,
    pub epoch: u32,
    pub origin: Origin,
}

/// Any caller of a public route; a bearer token is not even read (R6).
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Anyone {
    pub origin: Origin,
}

/// A caller who may or may not be signed in; a bad token counts as none.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MaybeCaller {
    pub caller: Option<Caller>,
    pub origin: Origin,
}

impl Caller {
    /// Who asks the read side, and from where.
    pub fn reader(&self) -> Reader {
        let address = self.origin.client.as_ref().and_then(|client| client.address);
        Reader::from(self.user)
            .at(address, self.origin.visit.clone())
            .in_hands_of(self.origin.bearer())
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // The layer in front of a route may have checked the same token already.
        if let Some(caller) = parts.extensions.get::<Self>() {
            let mut caller = caller.clone();
            caller.origin.command = parts.extensions.get::<Repeatable>().copied();
            return Ok(caller);
        }
        let caller = match credential(parts)? {
            Credential::Session(text) => identify(parts, app, text).await?,
            // A good token is told that this is not for it, a bad one that it is bad.
            Credential::Token(text) => {
                if parts.extensions.get::<Principal>().is_none() {
                    auth::present(parts, app, text).await?;
                }
                return Err(Problem::new("token_not_allowed"));
            }
        };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self { origin: origin(parts, app) })
    }
}

impl FromRequestParts<App> for MaybeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await;
        Ok(match known(caller)? {
            Some(caller) => Self { origin: caller.origin.clone(), caller: Some(caller) },
            None => Self { caller: None, origin: origin(parts, app) },
        })
    }
}

impl OptionalFromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        known(<Self as FromRequestParts<App>>::from_request_parts(parts, app).await)
    }
}

/// Nobody, if the credential is missing or bad; but who cannot be looked up now is not nobody: a key of theirs would stand for
/// another command, and what they did would be done twice.
pub(super) fn known<T>(checked: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match checked {
        Ok(caller) => Ok(Some(caller)),
        Err(problem) => match problem.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            _ => Err(problem),
        },
    }
}

/// What the bearer shows, by its form alone.
pub(super) enum Credential<'a> {
    /// The access token of a session.
    Session(&'a str),
    /// A personal or service token, or the access token of a service.
    Token(&'a str),
}

/// The bearer's credential, not yet checked.
pub(super) fn credential(parts: &Parts) -> Result<Credential<'_>, Problem> {
    let header =
        parts.headers.get(AUTHORIZATION).ok_or_else(|| Problem::new("credentials_missing"))?;
    let bad = || Problem::new("token_not_valid");
    let text = header.to_str().map_err(|_| bad())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(bad)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(bad());
    }
    let token = token.trim();
    if token.starts_with(TOKEN_PREFIX) || MachineTokens::recognises(token) {
        Ok(Credential::Token(token))
    } else {
        Ok(Credential::Session(token))
    }
}

async fn identify(parts: &Parts, app: &App, token: &str) -> Result<Caller, Problem> {
    let bad = || Problem::new("token_not_valid");
    let claims = app.tokens.verify(token, app.commands.clock().now()).map_err(|_| bad())?.claims;
    app.revocations.check(&app.queries, &claims).await?;
    app.throttle.user(parts, claims.user.get())?;
    app.session_uses.note(claims.session, app.commands.clock().now());
    let mut origin = origin(parts, app);
    origin.actor = Some(claims.user);
    origin.session = Some(claims.session);
    Ok(Caller { user: claims.user, session: claims.session, epoch: claims.epoch, origin })
}

/// What is known of any call. The request id and the address were settled by the middleware.
pub fn origin(parts: &Parts, app: &App) -> Origin {
    let request = parts
        .extensions
        .get::<RequestIdentity>()
        .map_or_else(|| app.commands.clock().request_id(), |known| RequestId::new(known.id));
    let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let client = Client {
        address: parts.extensions.get::<ClientAddress>().map(|known| known.0),
        agent: agent.map(|agent| agent.chars().take(AGENT_CHARS_MAX).collect()),
        token: None,
    };
    Origin {
        client: Some(client),
        command: parts.extensions.get::<Repeatable>().copied(),
        visit: Visit::metered(app.throttle.organizations()),
        ..Origin::product(request)
    }
}
