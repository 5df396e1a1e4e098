//! What the rules of accounts, sessions and sign-ins refuse, as problems.

use keynest_domain::{login, session, user};

use crate::Problem;

impl From<user::Rejection> for Problem {
    fn from(why: user::Rejection) -> Self {
        match why {
            user::Rejection::AlreadyRegistered => Self::new("busy"),
            user::Rejection::Absent => Self::new("not_found"),
            user::Rejection::Inactive => Self::new("account_inactive"),
            user::Rejection::Deactivated => Self::new("user_inactive"),
            user::Rejection::LinkInvalid => {
                Self::new("invalid_link").detail("The link is invalid or was used before")
            }
            user::Rejection::LinkExpired => {
                Self::new("invalid_link").detail("The link has expired")
            }
            user::Rejection::WrongPassword => {
                Self::validation([("current_password", "The current password is wrong.")])
            }
            user::Rejection::NotAdministrator => Self::new("not_administrator"),
            user::Rejection::OwnAccount => Self::new("own_account"),
        }
    }
}

impl From<session::Rejection> for Problem {
    fn from(why: session::Rejection) -> Self {
        match why {
            session::Rejection::AlreadyStarted => Self::new("busy"),
            // One answer for all: whoever holds a bad token learns nothing of the session.
            session::Rejection::StepUpRequired => Self::new("step_up_required"),
            session::Rejection::TokenInvalid
            | session::Rejection::Ended
            | session::Rejection::Expired
            | session::Rejection::CredentialsChanged
            | session::Rejection::Reused => Self::new("refresh_token_not_valid"),
        }
    }
}

impl From<login::Rejection> for Problem {
    fn from(why: login::Rejection) -> Self {
        match why {
            login::Rejection::InvalidCredentials => Self::new("invalid_credentials"),
            login::Rejection::Locked { .. } => Self::new("locked_out"),
        }
    }
}
