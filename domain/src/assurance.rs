//! Whether a caller counts as two-factor: one decision for commands and queries, for sessions and tokens.

use crate::{SessionId, TokenId};

/// In whose hands a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bearer {
    /// Nobody has said; nothing counts.
    #[default]
    Unknown,
    /// Somebody who is signed in.
    Session(SessionId),
    /// Whoever holds a personal token.
    Token(TokenId),
    /// A service: no person, made and ended by the organization's own admins.
    Service,
    /// KeyNest itself, for what it tells about a command that was done.
    Product,
}

/// What a person's account and credential can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Whether the account has a second factor now.
    pub has_factor: bool,
    /// Whether the session began with one; of a token, whether the session that made it counted as two-factor then.
    pub began_with_one: bool,
}

impl Bearer {
    /// Whether a second factor stands behind it. A factor that was enrolled later or is gone makes nobody two-factor: who
    /// only knew the password has shown no more than that, and neither has the token that was made with it.
    pub fn is_two_factor(self, shown: Shown) -> bool {
        match self {
            Self::Unknown => false,
            Self::Session(_) | Self::Token(_) => shown.has_factor && shown.began_with_one,
            Self::Service | Self::Product => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn people_show_a_factor_that_is_still_there_and_nobody_is_guessed() {
        let person = [Bearer::Session(SessionId::new(Uuid::nil())), Bearer::Token(TokenId::new(1))];
        for has_factor in [false, true] {
            for began_with_one in [false, true] {
                let shown = Shown { has_factor, began_with_one };
                let both = has_factor && began_with_one;
                assert!(person.iter().all(|it| it.is_two_factor(shown) == both), "{shown:?}");
                assert!(!Bearer::default().is_two_factor(shown));
                assert!(Bearer::Service.is_two_factor(shown));
            }
        }
    }
}
