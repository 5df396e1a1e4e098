//! A person's account: registration, activation, profile, password.

pub mod activate;
pub mod administrator;
pub mod cancel_email_change;
pub mod change_password;
pub mod confirm_email_change;
pub mod confirm_password_reset;
pub mod create_token;
pub mod deactivate;
mod email_change;
pub mod end_other_sessions;
mod ends;
pub mod erase;
pub mod export;
pub mod factors;
mod identity;
pub mod link_identity;
pub mod links;
pub mod notice_device;
mod open_link;
pub mod register;
pub mod register_federated;
pub mod rehash_password;
pub mod repeat_registration;
pub mod request_email_change;
pub mod request_password_reset;
pub mod resend_activation;
pub mod revoke_token;
mod state;
pub mod switch_notices;
pub mod synchronise_profile;
mod token;
pub mod undo_email_change;
pub mod unlink_identity;
pub mod update_profile;
mod ways_in;

use serde::{Deserialize, Serialize};

pub use email_change::{
    EmailChange, EmailChangeCancelled, EmailChangeConfirmed, EmailChangeCount,
    EmailChangeRequested, EmailChangeUndone, EmailChanged, EmailUndo, MailSide, WaysIn,
};
pub use end_other_sessions::OtherSessionsEnded;
pub use ends::{ENDS_SESSIONS, ENDS_TOKENS, Ends};
pub use identity::{Identity, IdentityLinked, IdentityUnlinked, ProfileSynchronised};
pub use links::LinkLimits;
pub use notice_device::NewDeviceNoticed;
pub use open_link::OpenLink;
pub use rehash_password::PasswordRehashed;
pub use state::{Standing, User};
pub use token::{LivingToken, TokenCreated, TokenRevoked};
pub use ways_in::WorkingWaysIn;

use crate::event::events;
use factors::{
    FactorRemoved, FactorsReset, PasskeyEnrolled, PasskeyUsed, RecoveryCodeUsed, RecoveryCodesMade,
    TotpEnrolled, TotpUsed,
};

use crate::{
    Aggregate, IdentityId, Lifetime, LinkNonce, Sealed, SessionId, Timestamp, TokenId, UserId,
};

events! {
    /// An account was asked for; it is inactive until its address is confirmed.
    UserRegistered = "user.registered" v 2,
    /// Somebody registered again with the address of this account; its owner is told by mail.
    RegistrationRepeated = "user.registration_repeated" v 1,
    /// A new activation link was asked for; older ones are dead.
    ActivationRequested = "user.activation_requested" v 1,
    /// The address is confirmed.
    UserActivated = "user.activated" v 1,
    /// First or last name changed.
    ProfileUpdated = "user.profile_updated" v 1,
    /// The person changed the password, knowing the old one; every other session ends.
    PasswordChanged = "user.password_changed" v 1,
    /// A reset link was asked for; older ones are dead.
    PasswordResetRequested = "user.password_reset_requested" v 1,
    /// The password was set by a reset link; every session ends.
    PasswordReset = "user.password_reset" v 1,
    /// An administrator closed the account; every session ends.
    UserDeactivated = "user.deactivated" v 1,
    /// An administrator opened the account again.
    UserReactivated = "user.reactivated" v 1,
    /// A token was made that acts as its owner, within a scope.
    TokenCreated = "user.token_created" v 2,
    /// A personal token was ended.
    TokenRevoked = "user.token_revoked" v 1,
    /// The mail notices that are not about security were turned on or off.
    NoticesSwitched = "user.notices_switched" v 1,
    /// An authenticator app was confirmed with a code.
    TotpEnrolled = "user.totp_enrolled" v 1,
    /// A code of an authenticator app was right; its time step is used up.
    TotpUsed = "user.totp_used" v 1,
    /// A passkey was made.
    PasskeyEnrolled = "user.passkey_enrolled" v 1,
    /// A passkey signed a challenge.
    PasskeyUsed = "user.passkey_used" v 1,
    /// Recovery codes were shown; older ones are dead.
    RecoveryCodesMade = "user.recovery_codes_made" v 1,
    /// A recovery code stood in for a lost factor.
    RecoveryCodeUsed = "user.recovery_code_used" v 1,
    /// A factor was taken away.
    FactorRemoved = "user.factor_removed" v 1,
    /// The operator took all factors away from somebody who lost them; every session ends.
    FactorsReset = "user.factors_reset" v 1,
    /// The person runs this instance from now on: sees accounts and counts, never values.
    AdministratorGranted = "user.administrator_granted" v 1,
    /// The person does not run this instance any more.
    AdministratorRevoked = "user.administrator_revoked" v 1,
    /// An account at an identity provider signs in to this account from now on.
    IdentityLinked = "user.identity_linked" v 1,
    /// An account at an identity provider is none of this account's any more.
    IdentityUnlinked = "user.identity_unlinked" v 1,
    /// An identity provider told what the person is called now.
    ProfileSynchronised = "user.profile_synchronised" v 1,
    /// Every session but one was ended by its owner.
    OtherSessionsEnded = "user.other_sessions_ended" v 1,
    /// Signed in from a network that the account was not used from lately.
    NewDeviceNoticed = "user.new_device_noticed" v 1,
    /// The same password, hashed with today's parameters; nothing ends.
    PasswordRehashed = "user.password_rehashed" v 1,
    /// Another address was asked for; both addresses get a link. Older wishes are dead.
    EmailChangeRequested = "user.email_change_requested" v 1,
    /// One side of a change of address said yes.
    EmailChangeConfirmed = "user.email_change_confirmed" v 1,
    /// The change of address was given up.
    EmailChangeCancelled = "user.email_change_cancelled" v 1,
    /// Both sides said yes: the address is another one, and every other session ends.
    EmailChanged = "user.email_changed" v 1,
    /// The owner of the old address took it back; every session ends.
    EmailChangeUndone = "user.email_change_undone" v 1,
    /// The person took away a copy of everything that is kept about them.
    DataExported = "user.data_exported" v 1,
    /// The account is gone for good: everything that was known of the person is wiped, every session ends.
    UserErased = "user.erased" v 1,
}

/// See [`Event::UserRegistered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UserRegistered {
    pub user: UserId,
    pub username: Sealed,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    /// The password's hash in PHC form, sealed; none for an account that began at an identity provider.
    pub password: Option<Sealed>,
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`Event::RegistrationRepeated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RegistrationRepeated {
    pub at: Timestamp,
}

/// See [`Event::ActivationRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ActivationRequested {
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`Event::UserActivated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UserActivated {
    pub at: Timestamp,
}

/// See [`Event::ProfileUpdated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProfileUpdated {
    pub first_name: Sealed,
    pub last_name: Sealed,
}

/// See [`Event::PasswordChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasswordChanged {
    pub password: Sealed,
    /// The session that stays.
    pub kept: Option<SessionId>,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// See [`Event::PasswordResetRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasswordResetRequested {
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`Event::PasswordReset`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasswordReset {
    pub password: Sealed,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// See [`Event::UserDeactivated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserDeactivated {
    /// The credential epoch from now on.
    pub epoch: u32,
}

/// See [`Event::UserReactivated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserReactivated {}

/// See [`Event::NoticesSwitched`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NoticesSwitched {
    pub wanted: bool,
}

/// See [`Event::AdministratorGranted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdministratorGranted {}

/// See [`Event::AdministratorRevoked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdministratorRevoked {}

/// See [`Event::DataExported`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DataExported {
    pub at: Timestamp,
}

/// See [`Event::UserErased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UserErased {
    /// The credential epoch from now on.
    pub epoch: u32,
    /// The address once more, for the last mail: under a key of its own, which is destroyed when the mail is sent.
    pub farewell: Option<Sealed>,
    pub at: Timestamp,
}

/// What an account's rules refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The id is in use.
    #[error("there is an account with this id")]
    AlreadyRegistered,
    /// No such account.
    #[error("there is no such account")]
    Absent,
    /// The address was never confirmed. Only somebody who proved the password hears this.
    #[error("the account is not activated")]
    Inactive,
    /// An administrator closed the account.
    #[error("the account is closed")]
    Deactivated,
    /// The person was forgotten.
    #[error("the account is erased")]
    Erased,
    /// Never issued, used, or replaced by a newer link.
    #[error("the link is not valid")]
    LinkInvalid,
    /// Issued, but too long ago.
    #[error("the link has expired")]
    LinkExpired,
    /// The account has this identity, or as many as it may have.
    #[error("the account has a sign-in with this provider already")]
    IdentityKnown,
    /// The account has no such identity.
    #[error("there is no such identity")]
    IdentityUnknown,
    /// Without it nobody could sign in to the account any more.
    #[error("the last way to sign in stays")]
    LastWayIn,
    /// As many living tokens as the configuration allows.
    #[error("the account has as many tokens as it may")]
    TooManyTokens,
    /// Ended, or another's, or never made.
    #[error("there is no such token")]
    TokenUnknown,
    /// The current password is another one.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Only administrators of the instance may.
    #[error("the account does not administer this instance")]
    NotAdministrator,
    /// An administrator would lock themselves out.
    #[error("an administrator cannot close the own account")]
    OwnAccount,
    /// Apps and passkeys have a limit.
    #[error("the account has as many factors as it may have")]
    TooManyFactors,
    /// No app or passkey of this account.
    #[error("there is no such factor")]
    FactorAbsent,
    /// Recovery codes are for accounts with a second factor.
    #[error("the account has no second factor")]
    NoFactor,
    /// Not a code of now, or used before.
    #[error("the code is wrong or was used before")]
    CodeWrong,
    /// Not signed by a passkey of this account for this challenge, or by a copy of one.
    #[error("the passkey was refused")]
    PasskeyWrong,
    /// The account has a second factor, and nothing of it came along.
    #[error("the second factor is missing")]
    SecondFactorMissing,
    /// The site's address cannot have passkeys.
    #[error("passkeys are not available here")]
    PasskeysOff,
    /// Too old, used, or begun by somebody else.
    #[error("the challenge is not open")]
    ChallengeInvalid,
    /// It is the account's address already.
    #[error("this is the account's address already")]
    SameEmail,
    /// Another account has it; said only to whoever proved to own the address.
    #[error("the address belongs to another account")]
    EmailTaken,
    /// The last change can still be undone.
    #[error("the address was changed recently")]
    EmailChangedRecently {
        /// When the next change may be asked for.
        until: Timestamp,
    },
    /// Too many changes were asked for.
    #[error("too many changes of the address were asked for")]
    TooManyEmailChanges {
        /// When the next change may be asked for.
        until: Timestamp,
    },
}

/// Whether less than a span has passed since something that may never have happened.
fn is_recent(last: Option<Timestamp>, at: Timestamp, span: Lifetime) -> bool {
    last.is_some_and(|last| at < last + span)
}

#[cfg(test)]
mod samples;
