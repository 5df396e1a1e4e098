//! What a fact of an account ends: the one list that the rules, the read models and every process go by.

use super::Event;
use crate::SessionId;
use crate::session::EndReason;

/// Stored names of the facts that end sessions.
pub const ENDS_SESSIONS: [&str; 8] = [
    "user.password_changed",
    "user.password_reset",
    "user.deactivated",
    "user.other_sessions_ended",
    "user.email_changed",
    "user.email_change_undone",
    "user.erased",
    "user.factors_reset",
];

/// Stored names of those that end every personal token as well: the account was taken back, or is no more.
pub const ENDS_TOKENS: [&str; 4] =
    ["user.password_reset", "user.deactivated", "user.email_change_undone", "user.erased"];

/// Sessions of an earlier epoch are over, but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Ends {
    /// The credential epoch from now on.
    pub epoch: u32,
    /// The session that stays.
    pub kept: Option<SessionId>,
    /// Whether every personal token of before is over too.
    pub tokens: bool,
    /// Whether the account is closed from now on.
    pub is_closed: bool,
    pub reason: EndReason,
}

impl Event {
    /// What this fact ends; `None` for those that end nothing, or one token or session that they name.
    pub fn ends(&self) -> Option<Ends> {
        let (epoch, kept) = match self {
            Self::PasswordChanged(it) => (it.epoch, it.kept),
            Self::PasswordReset(it) => (it.epoch, None),
            Self::UserDeactivated(it) => (it.epoch, None),
            Self::OtherSessionsEnded(it) => (it.epoch, it.kept),
            Self::EmailChanged(it) => (it.epoch, it.kept),
            Self::EmailChangeUndone(it) => (it.epoch, None),
            Self::UserErased(it) => (it.epoch, None),
            Self::FactorsReset(it) => (it.epoch, None),
            Self::UserRegistered(_)
            | Self::RegistrationRepeated(_)
            | Self::ActivationRequested(_)
            | Self::UserActivated(_)
            | Self::ProfileUpdated(_)
            | Self::PasswordResetRequested(_)
            | Self::UserReactivated(_)
            | Self::TokenCreated(_)
            | Self::TokenRevoked(_)
            | Self::NoticesSwitched(_)
            | Self::TotpEnrolled(_)
            | Self::TotpUsed(_)
            | Self::PasskeyEnrolled(_)
            | Self::PasskeyUsed(_)
            | Self::RecoveryCodesMade(_)
            | Self::RecoveryCodeUsed(_)
            | Self::FactorRemoved(_)
            | Self::AdministratorGranted(_)
            | Self::AdministratorRevoked(_)
            | Self::IdentityLinked(_)
            | Self::IdentityUnlinked(_)
            | Self::ProfileSynchronised(_)
            | Self::NewDeviceNoticed(_)
            | Self::PasswordRehashed(_)
            | Self::EmailChangeRequested(_)
            | Self::EmailChangeConfirmed(_)
            | Self::EmailChangeCancelled(_)
            | Self::DataExported(_) => return None,
        };
        let is_signing_out = matches!(self, Self::OtherSessionsEnded(_));
        let reason =
            if is_signing_out { EndReason::SignedOut } else { EndReason::CredentialsChanged };
        let tokens = ENDS_TOKENS.contains(&self.name());
        let is_closed = matches!(self, Self::UserDeactivated(_));
        Some(Ends { epoch, kept, tokens, is_closed, reason })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::user::factors::FactorsReset;
    use crate::user::samples::{activated, at, registered, sealed, token};
    use crate::user::{
        EmailChangeUndone, EmailChanged, OtherSessionsEnded, PasswordChanged, PasswordReset, User,
        UserDeactivated, UserErased,
    };
    use crate::{Aggregate, LinkNonce};

    const LAPTOP: SessionId = SessionId::new(Uuid::from_u128(1));
    const PHONE: SessionId = SessionId::new(Uuid::from_u128(2));

    /// One of each; whether one session stays; whether tokens do.
    fn endings() -> [(Event, bool, bool); 8] {
        let (kept, epoch, at) = (Some(LAPTOP), 4, at(9));
        let changed = EmailChanged {
            email: sealed("new@example.com"),
            previous: sealed("ann@example.com"),
            undo_nonce: LinkNonce::new(1),
            undo_until: at,
            kept,
            epoch,
            at,
        };
        let undone = EmailChangeUndone { email: sealed("ann@example.com"), epoch, at };
        [
            (PasswordChanged { password: sealed("x"), kept, epoch, at }.into(), true, true),
            (PasswordReset { password: sealed("x"), epoch, at }.into(), false, false),
            (UserDeactivated { epoch }.into(), false, false),
            (OtherSessionsEnded { kept, epoch, at }.into(), true, true),
            (changed.into(), true, true),
            (undone.into(), false, false),
            (UserErased { epoch, farewell: None, at }.into(), false, false),
            (FactorsReset { count: 1, epoch, at }.into(), false, true),
        ]
    }

    #[test]
    fn every_ending_is_listed_and_the_rules_follow_it() {
        assert_eq!(endings().map(|(event, ..)| event.name()), ENDS_SESSIONS);
        assert!(ENDS_TOKENS.iter().all(|name| ENDS_SESSIONS.contains(name)));
        for (event, keeps, keeps_tokens) in endings() {
            let ends = event.ends().unwrap_or_else(|| panic!("{}", event.name()));
            assert_eq!(ends.kept, keeps.then_some(LAPTOP), "{}", event.name());
            let past = [registered(), activated(), token(1, 1, 100).into(), event.clone()];
            let user = past.iter().fold(User::default(), User::evolve);
            assert_eq!(
                (ends.tokens, user.tokens.is_empty()),
                (!keeps_tokens, !keeps_tokens),
                "{event:?}"
            );
            assert_eq!((user.epoch, user.honours(PHONE, 3)), (4, false), "{}", event.name());
            assert_eq!(user.honours(LAPTOP, 3), keeps, "{}", event.name());
        }
    }

    #[test]
    fn the_others_end_nothing() {
        for event in [registered(), activated(), token(1, 1, 100).into()] {
            assert_eq!(event.ends(), None, "{}", event.name());
        }
    }
}
