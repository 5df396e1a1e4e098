//! What accounts, sessions and sign-ins refuse.

use keynest_domain::{login, session, user};

use crate::Problem;

impl From<user::Rejection> for Problem {
    fn from(rejection: user::Rejection) -> Self {
        match rejection {
            user::Rejection::AlreadyRegistered => Self::new("busy"),
            user::Rejection::Absent => Self::new("not_found"),
            user::Rejection::Inactive => Self::new("account_inactive"),
            user::Rejection::Deactivated => Self::new("invalid_credentials"),
            user::Rejection::LinkInvalid | user::Rejection::LinkExpired => {
                Self::new("invalid_link")
            }
            user::Rejection::WrongPassword => {
                Self::validation([("current_password", "The current password is wrong.")])
            }
        }
    }
}

impl From<session::Rejection> for Problem {
    fn from(rejection: session::Rejection) -> Self {
        match rejection {
            session::Rejection::AlreadyStarted => Self::new("busy"),
            session::Rejection::TokenInvalid
            | session::Rejection::Ended
            | session::Rejection::Expired
            | session::Rejection::CredentialsChanged
            | session::Rejection::Reused => Self::new("token_not_valid"),
        }
    }
}

impl From<login::Rejection> for Problem {
    fn from(rejection: login::Rejection) -> Self {
        match rejection {
            login::Rejection::InvalidCredentials => Self::new("invalid_credentials"),
            login::Rejection::Locked { .. } => Self::new("locked_out"),
        }
    }
}
