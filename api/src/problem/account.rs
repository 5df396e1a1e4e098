//! What the rules of accounts, sessions and sign-ins refuse, as problems.

use keynest_domain::{challenge, federation, limits, login, provider, session, user};

use crate::Problem;

impl From<user::Rejection> for Problem {
    fn from(why: user::Rejection) -> Self {
        match why {
            user::Rejection::AlreadyRegistered => Self::new("busy"),
            user::Rejection::Absent => Self::new("not_found"),
            user::Rejection::Inactive => Self::new("account_inactive"),
            user::Rejection::Deactivated => Self::new("user_inactive"),
            // The session is over, and nobody learns why.
            user::Rejection::Erased => Self::new("token_not_valid"),
            user::Rejection::LinkInvalid => {
                Self::new("invalid_link").detail("The link is invalid or was used before")
            }
            user::Rejection::LinkExpired => {
                Self::new("invalid_link").detail("The link has expired")
            }
            user::Rejection::IdentityKnown => Self::new("identity_known"),
            user::Rejection::IdentityUnknown => Self::new("not_found"),
            user::Rejection::LastWayIn => Self::new("last_way_in"),
            user::Rejection::WrongPassword => {
                Self::validation([("current_password", "The current password is wrong.")])
            }
            user::Rejection::TooManyFactors => Self::new("too_many_factors"),
            user::Rejection::FactorAbsent => Self::new("not_found"),
            user::Rejection::NoFactor => Self::new("no_second_factor"),
            user::Rejection::CodeWrong => Self::new("code_wrong"),
            user::Rejection::PasskeyWrong => Self::new("passkey_refused"),
            user::Rejection::SecondFactorMissing => Self::new("second_factor_required"),
            user::Rejection::PasskeysOff => Self::new("passkeys_off"),
            user::Rejection::ChallengeInvalid => Self::new("challenge_not_valid"),
            user::Rejection::TooManyTokens => Self::new("too_many_tokens"),
            user::Rejection::TokenUnknown => Self::new("not_found"),
            user::Rejection::NotAdministrator => Self::new("not_administrator"),
            user::Rejection::OwnAccount => Self::new("own_account"),
            user::Rejection::SameEmail => {
                Self::validation([("new_email", "This is your address already.")])
            }
            user::Rejection::EmailTaken => Self::new("email_taken"),
            user::Rejection::EmailChangedRecently { .. } => Self::new("email_changed_recently"),
            user::Rejection::TooManyEmailChanges { .. } => Self::new("too_many_email_changes"),
        }
    }
}

impl From<federation::Rejection> for Problem {
    fn from(why: federation::Rejection) -> Self {
        match why {
            federation::Rejection::AnswerUsed => Self::new("oauth_state_invalid"),
            federation::Rejection::ProofUsed => Self::new("oauth_code_invalid"),
            federation::Rejection::AddressUnverified => Self::new("oauth_address_unverified"),
            federation::Rejection::LinkRequired => Self::new("oauth_link_required"),
            federation::Rejection::IdentityTaken => Self::new("identity_taken"),
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

impl From<challenge::Rejection> for Problem {
    fn from(why: challenge::Rejection) -> Self {
        match why {
            challenge::Rejection::NotOpen => Self::new("challenge_not_valid"),
        }
    }
}

impl From<limits::Rejection> for Problem {
    fn from(why: limits::Rejection) -> Self {
        Self::validation([("limits", format!("{why}."))])
    }
}

impl From<provider::Rejection> for Problem {
    fn from(why: provider::Rejection) -> Self {
        match why {
            provider::Rejection::NameTaken => Self::new("provider_known"),
            provider::Rejection::TooMany => Self::new("too_many_providers"),
            provider::Rejection::Absent => Self::new("oauth_provider_unknown"),
            provider::Rejection::InUse { accounts } => {
                Self::new("provider_in_use").with("accounts", accounts)
            }
        }
    }
}
