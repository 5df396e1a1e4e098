//! Where a command comes from: actor, session, request, client.

use std::net::IpAddr;
use std::sync::Arc;

use keynest_domain::{
    Bearer, CommandId, EventId, OrganizationId, RequestId, SessionId, TokenId, TokenScope, UserId,
    Visit,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is known of the caller of one command.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The signed-in person; `None` for anonymous calls and the product itself.
    pub actor: Option<UserId>,
    /// The session behind the access token.
    pub session: Option<SessionId>,
    /// The personal or service token that was presented instead of a session's.
    pub token: Option<PresentedToken>,
    /// The HTTP request or the run of a job.
    pub request: RequestId,
    /// One id from the request to the mail.
    pub correlation: Uuid,
    /// The event that a reactor answers with this command.
    pub causation: Option<EventId>,
    /// Address and agent of the client.
    pub client: Option<Client>,
    /// The id to append under; a new one if `None`.
    pub command: Option<Repeatable>,
    /// Where the event belongs in the audit log, if the use case does not say.
    pub organization: Option<OrganizationId>,
    /// What the organizations that this call reaches have to say to it.
    pub visit: Visit,
}

/// A token that stands for its bearer, and how far it goes.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    /// Which one; never its text.
    pub id: TokenId,
    /// What it allows at most.
    pub scope: Arc<TokenScope>,
}

/// A command id that an `Idempotency-Key` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// The id of the first try.
    pub id: CommandId,
    /// Whether this is a later try.
    pub is_repeat: bool,
}

/// Address and agent of a client; sealed before they are stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The socket's address, or what a trusted proxy says.
    pub address: Option<IpAddr>,
    /// The `User-Agent` field, cut to 200 characters.
    pub agent: Option<String>,
    /// The token that was presented, if it was not a session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// Personal data does not print.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Origin {
    /// The product itself: jobs and subcommands.
    pub fn product(request: RequestId) -> Self {
        Self {
            actor: None,
            session: None,
            token: None,
            request,
            correlation: request.get(),
            causation: None,
            client: None,
            command: None,
            organization: None,
            visit: Visit::default(),
        }
    }

    /// In whose hands the request is: the one reading of it for commands and queries.
    pub fn bearer(&self) -> Bearer {
        match (&self.token, self.actor, self.session) {
            // A service acts under its token's number.
            (Some(token), Some(actor), _) if token.id.get() == actor.get() => Bearer::Service,
            (Some(token), Some(_), _) => Bearer::Token(token.id),
            (None, Some(_), Some(session)) => Bearer::Session(session),
            _ => Bearer::Unknown,
        }
    }

    /// The same call without its idempotent command id: for what gives tokens, which a repeat must not show again.
    #[must_use]
    pub fn once(&self) -> Self {
        Self { command: None, ..self.clone() }
    }

    /// Where the client is known by, the closest first: its IPv4 address and /24, or its IPv6 /64, which is as close as an
    /// IPv6 client stays (DESIGN 8).
    pub fn places(&self) -> Vec<String> {
        let Some(address) = self.client.as_ref().and_then(|client| client.address) else {
            return Vec::new();
        };
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                vec![format!("{a}.{b}.{c}.{d}"), format!("{a}.{b}.{c}")]
            }
            IpAddr::V6(address) => {
                vec![address.segments()[..4].iter().map(|s| format!("{s:x}:")).collect()]
            }
        }
    }
}
