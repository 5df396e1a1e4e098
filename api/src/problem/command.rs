//! What the write side and the read side could not do, as problems.

use keynest_commands::CommandError;
use keynest_crypto::KeyringError;
use keynest_domain::exchange;
use keynest_domain::limits::Policy;
use keynest_domain::permission::Denied;
use keynest_projections::QueryError;
use keynest_store::AppendError;

use crate::Problem;

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Denied { organization, why } => Self::from(why).within(organization),
            CommandError::NotForTokens => Denied::NotForTokens.into(),
            CommandError::Absent(_) => Self::new("not_found"),
            CommandError::Field { field, why } => Self::validation([(field, why.message)]),
            CommandError::User(rejection) => rejection.into(),
            CommandError::Federation(rejection) => rejection.into(),
            CommandError::Session(rejection) => rejection.into(),
            CommandError::Login(rejection) => rejection.into(),
            CommandError::Challenge(rejection) => rejection.into(),
            CommandError::Organization(rejection) => rejection.into(),
            CommandError::Project(rejection) => rejection.into(),
            CommandError::Environment(rejection) => rejection.into(),
            CommandError::Throttled { organization, seconds } => {
                Self::throttled(Policy::Organization, seconds).within(organization)
            }
            CommandError::Limits(rejection) => rejection.into(),
            CommandError::LastAdminOf(organizations) => {
                let ids: Vec<i64> = organizations.iter().map(|id| id.get()).collect();
                Self::new("last_admin")
                    .detail(
                        "Make somebody else an admin of these organizations first, or delete them.",
                    )
                    .with("organizations", ids)
            }
            CommandError::FootprintTooLarge => Self::new("account_too_large"),
            CommandError::Exchange(rejection) => rejection.into(),
            CommandError::Provider(rejection) => rejection.into(),
            CommandError::Busy(_)
            | CommandError::Append(AppendError::Busy | AppendError::Conflict(_)) => {
                Self::new("busy")
            }
            CommandError::Damaged(_) => Self::new("log_damaged").caused_by(&error),
            CommandError::NewerThanThisBinary(_) => {
                Self::new("newer_than_this_binary").caused_by(&error)
            }
            CommandError::Append(AppendError::LevelTooLow { .. }) => {
                Self::new("format_level_too_low").caused_by(&error)
            }
            CommandError::Append(AppendError::Malformed(_)) => {
                Self::new("too_large").caused_by(&error)
            }
            CommandError::Append(AppendError::Unavailable(_))
            | CommandError::Read(_)
            | CommandError::Keyring(KeyringError::Table(_)) => Self::unavailable(&error),
            CommandError::Hashing(_) | CommandError::Keyring(_) => Self::internal(&error),
        }
    }
}

impl From<Denied> for Problem {
    fn from(why: Denied) -> Self {
        match why {
            // An outsider learns nothing, not even that the object exists.
            Denied::Outsider => Self::new("not_found"),
            Denied::SecondFactorRequired => Self::new("second_factor_required_by_organization"),
            Denied::AddressNotAllowed => Self::new("address_not_allowed"),
            Denied::RoleTooWeak => Self::new("role_too_weak"),
            Denied::ScopeTooNarrow => Self::new("token_scope_too_narrow"),
            Denied::NotForTokens => Self::new("token_not_allowed"),
        }
    }
}

/// The caller learns that the exchange is refused; which rule or claim did not fit is in the log of this process.
impl From<exchange::Rejection> for Problem {
    fn from(why: exchange::Rejection) -> Self {
        let code = match why {
            exchange::Rejection::NotTrusted => "exchange_refused",
            exchange::Rejection::Replayed => "exchange_replayed",
        };
        Self::new(code)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::AddressNotAllowed(organization) => {
                Self::from(Denied::AddressNotAllowed).within(organization)
            }
            QueryError::SecondFactorRequired(organization) => {
                Self::from(Denied::SecondFactorRequired).within(organization)
            }
            QueryError::Throttled { organization, seconds } => {
                Self::throttled(Policy::Organization, seconds).within(organization)
            }
            QueryError::Unavailable(_)
            | QueryError::Inconsistent { .. }
            | QueryError::TooMany { .. } => Self::unavailable(&error),
        }
    }
}
