//! One mail to one person: what it says, not yet how it looks.

use keynest_crypto::Keyring;
use keynest_domain::UserId;
use minijinja::Value;

/// The kinds of mail: a folder of templates each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Activation,
    AlreadyRegistered,
    Welcome,
    PasswordReset,
    PasswordChanged,
    InviteMember,
    MemberJoined,
    RoleChanged,
    MemberRemoved,
    ProjectCreated,
    ProjectRenamed,
    ProjectDeleted,
    EnvironmentCreated,
    VariablesImported,
    TokenReuse,
    IdentityLinked,
    IdentityUnlinked,
    FactorAdded,
    FactorRemoved,
    FactorsReset,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    EmailChangeConfirm,
    EmailChangeNotice,
    EmailChangeTaken,
    EmailChanged,
    EmailChangeUndone,
    NewSignIn,
    AccountClosed,
    AccountErased,
    TokenCreated,
    TokenEnded,
}

/// A mail to be rendered and sent.
#[derive(Clone)]
pub struct Letter {
    /// Which templates.
    pub kind: Kind,
    /// Who it is for.
    pub to: Recipient,
    /// What the templates may say.
    pub facts: Value,
}

/// An address and who is behind it.
#[derive(Clone)]
pub struct Recipient {
    /// The account, if the address has one.
    pub user: Option<UserId>,
    /// The address.
    pub address: String,
    /// How the person is called.
    pub name: String,
}

impl Kind {
    /// Every kind.
    #[cfg(test)]
    pub const ALL: [Self; 32] = [
        Self::Activation,
        Self::AlreadyRegistered,
        Self::Welcome,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::InviteMember,
        Self::MemberJoined,
        Self::RoleChanged,
        Self::MemberRemoved,
        Self::ProjectCreated,
        Self::ProjectRenamed,
        Self::ProjectDeleted,
        Self::EnvironmentCreated,
        Self::VariablesImported,
        Self::TokenReuse,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::FactorsReset,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::EmailChangeConfirm,
        Self::EmailChangeNotice,
        Self::EmailChangeTaken,
        Self::EmailChanged,
        Self::EmailChangeUndone,
        Self::NewSignIn,
        Self::AccountClosed,
        Self::AccountErased,
        Self::TokenCreated,
        Self::TokenEnded,
    ];

    /// The name of its folder, and in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::AlreadyRegistered => "already_registered",
            Self::Welcome => "welcome",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::InviteMember => "invite_member",
            Self::MemberJoined => "member_joined",
            Self::RoleChanged => "role_changed",
            Self::MemberRemoved => "member_removed",
            Self::ProjectCreated => "project_created",
            Self::ProjectRenamed => "project_renamed",
            Self::ProjectDeleted => "project_deleted",
            Self::EnvironmentCreated => "environment_created",
            Self::VariablesImported => "variables_imported",
            Self::TokenReuse => "token_reuse",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::FactorsReset => "factors_reset",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::EmailChangeConfirm => "email_change_confirm",
            Self::EmailChangeNotice => "email_change_notice",
            Self::EmailChangeTaken => "email_change_taken",
            Self::EmailChanged => "email_changed",
            Self::EmailChangeUndone => "email_change_undone",
            Self::NewSignIn => "new_sign_in",
            Self::AccountClosed => "account_closed",
            Self::AccountErased => "account_erased",
            Self::TokenCreated => "token_created",
            Self::TokenEnded => "token_ended",
        }
    }
}

impl Recipient {
    /// Stands for the recipient in the effects table: the account, or the address's keyed digest.
    pub fn key(&self, keyring: &Keyring) -> String {
        match self.user {
            Some(user) => user.to_string(),
            None => keyring.digest("email", &self.address),
        }
    }
}

/// Personal data does not print.
impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({:?})", self.user)
    }
}
