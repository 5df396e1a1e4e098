//! `providers/`: where people may come from. Those of the configuration are shown; others are set up here, at run time.

mod add;
mod change;
mod list;
mod remove;
mod wish;

use keynest_domain::ProviderName;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::oauth::{OAuthError, Provider};
use crate::outgoing::OutgoingError;
use crate::{App, Problem};

/// The routes of this folder.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::all, add::handle)).routes(routes!(
        list::one,
        change::handle,
        remove::handle
    ))
}

impl App {
    /// The configuration's own are changed by whoever operates this instance.
    fn require_not_configured(&self, name: &ProviderName) -> Result<(), Problem> {
        match self.providers.is_taken(name) {
            true => Err(Problem::new("provider_configured")),
            false => Ok(()),
        }
    }

    /// Asks a provider who it is before anybody is sent there.
    async fn check_issuer(&self, candidate: Result<Provider, OAuthError>) -> Result<(), Problem> {
        let now = self.commands.clock().now();
        let checked = match candidate {
            Ok(provider) => provider.check(now).await,
            Err(error) => Err(error),
        };
        checked.map_err(|error| refused(&error))
    }
}

/// An administrator learns more of a provider than those who sign in by it.
fn refused(error: &OAuthError) -> Problem {
    let code = match error {
        OAuthError::Configuration(_) | OAuthError::Outgoing(OutgoingError::PrivateAddress) => {
            "issuer_not_allowed"
        }
        OAuthError::AnotherIssuer => "issuer_mismatch",
        OAuthError::Outgoing(OutgoingError::Busy) => "busy",
        OAuthError::Outgoing(OutgoingError::NotAllowed)
        | OAuthError::Malformed(_)
        | OAuthError::NotListed(_)
        | OAuthError::Refused(_)
        | OAuthError::NotValid(_) => "issuer_document_invalid",
        OAuthError::Outgoing(_) => "issuer_unreachable",
    };
    let problem = Problem::new(code).caused_by(error);
    match error {
        OAuthError::Configuration(why) => problem.detail(format!("{}.", capitalised(why))),
        OAuthError::NotListed(_) => problem.detail(format!("The document is not usable: {error}.")),
        OAuthError::Outgoing(OutgoingError::NotAllowed) => {
            problem.detail("The document names a host that is not in origins.")
        }
        OAuthError::Outgoing(_)
        | OAuthError::AnotherIssuer
        | OAuthError::Malformed(_)
        | OAuthError::Refused(_)
        | OAuthError::NotValid(_) => problem,
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect()
}
