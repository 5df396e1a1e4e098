//! A person's account: registration, activation, profile, password.

pub mod activate;
pub mod administrator;
pub mod change_password;
pub mod confirm_password_reset;
pub mod deactivate;
mod identity;
pub mod link_identity;
pub mod links;
pub mod register;
pub mod register_federated;
pub mod repeat_registration;
pub mod request_password_reset;
pub mod resend_activation;
pub mod switch_notices;
pub mod synchronise_profile;
pub mod unlink_identity;
pub mod update_profile;

use serde::{Deserialize, Serialize};

pub use identity::{Identity, IdentityLinked, IdentityUnlinked, ProfileSynchronised};
pub use links::LinkLimits;

use crate::event::events;
use crate::{Aggregate, IdentityId, Lifetime, LinkNonce, Sealed, SessionId, Timestamp, UserId};

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
    /// The mail notices that are not about security were turned on or off.
    NoticesSwitched = "user.notices_switched" v 1,
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
    /// The current password is another one.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Only administrators of the instance may.
    #[error("the account does not administer this instance")]
    NotAdministrator,
    /// An administrator would lock themselves out.
    #[error("an administrator cannot close the own account")]
    OwnAccount,
}

/// A mailed link: the newest of its kind. An activation link is kept after its use, so that a second click is told apart
/// from a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OpenLink {
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not registered.
    #[default]
    Absent,
    /// Registered, the address not confirmed.
    Inactive,
    /// Good for sign-in.
    Active,
    /// Closed by an administrator.
    Deactivated,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct User {
    pub id: Option<UserId>,
    pub standing: Standing,
    pub was_activated: bool,
    pub username: Option<Sealed>,
    pub email: Option<Sealed>,
    pub first_name: Option<Sealed>,
    pub last_name: Option<Sealed>,
    /// The event that sealed the two names, a part of their context.
    pub names_sealed_by: Option<&'static str>,
    pub password: Option<Sealed>,
    /// The event that sealed the password, a part of its context.
    pub password_sealed_by: Option<&'static str>,
    pub activation: Option<OpenLink>,
    pub reset: Option<OpenLink>,
    /// Rises whenever every session must end; sessions remember the one they began with.
    pub epoch: u32,
    /// The session that outlives the last rise.
    pub kept: Option<SessionId>,
    /// When strangers last caused a mail of each kind.
    pub repeated_at: Option<Timestamp>,
    pub activation_requested_at: Option<Timestamp>,
    pub reset_requested_at: Option<Timestamp>,
    pub refuses_notices: bool,
    pub is_administrator: bool,
    /// Accounts at identity providers that sign in to this one, in the order in which they were linked.
    pub identities: Vec<Identity>,
    /// Whether the names follow an identity provider's, because the person never chose others.
    pub names_follow: bool,
}

impl Aggregate for User {
    type Id = UserId;
    type Event = Event;
    const CATEGORY: &'static str = "user";

    fn evolve(mut self, event: &Event) -> Self {
        let name = event.name();
        match event {
            Event::UserRegistered(it) => {
                self.id = Some(it.user);
                self.standing = Standing::Inactive;
                self.username = Some(it.username.clone());
                self.email = Some(it.email.clone());
                self.first_name = Some(it.first_name.clone());
                self.last_name = Some(it.last_name.clone());
                self.names_sealed_by = Some(name);
                self.password = it.password.clone();
                self.password_sealed_by = it.password.as_ref().map(|_| name);
                self.names_follow = it.password.is_none();
                self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
            }
            Event::RegistrationRepeated(it) => self.repeated_at = Some(it.at),
            Event::ActivationRequested(it) => {
                self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.activation_requested_at = Some(it.at);
            }
            Event::UserActivated(_) => {
                self.standing = Standing::Active;
                self.was_activated = true;
                // Whoever linked them had not proved the address (DESIGN 11).
                self.identities.clear();
            }
            Event::ProfileUpdated(it) => {
                self.first_name = Some(it.first_name.clone());
                self.last_name = Some(it.last_name.clone());
                self.names_sealed_by = Some(name);
                self.names_follow = false;
            }
            Event::PasswordChanged(it) => {
                self = self.with_password(&it.password, name, it.epoch, it.kept);
            }
            Event::PasswordResetRequested(it) => {
                self.reset = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.reset_requested_at = Some(it.at);
            }
            Event::PasswordReset(it) => {
                self = self.with_password(&it.password, name, it.epoch, None);
            }
            Event::UserDeactivated(it) => {
                self.standing = Standing::Deactivated;
                self.epoch = it.epoch;
                self.kept = None;
                self.reset = None;
            }
            Event::UserReactivated(_) => {
                self.standing =
                    if self.was_activated { Standing::Active } else { Standing::Inactive };
            }
            Event::NoticesSwitched(it) => self.refuses_notices = !it.wanted,
            Event::AdministratorGranted(_) => self.is_administrator = true,
            Event::AdministratorRevoked(_) => self.is_administrator = false,
            Event::IdentityLinked(it) => self = link_identity::evolve(self, it),
            Event::IdentityUnlinked(it) => self = unlink_identity::evolve(self, it),
            Event::ProfileSynchronised(it) => self = synchronise_profile::evolve(self, it, name),
        }
        self
    }
}

impl OpenLink {
    /// Whether this is the link, and in time. The nonce is known to whoever could verify the link's signature.
    fn accept(link: Option<Self>, nonce: LinkNonce, at: Timestamp) -> Result<(), Rejection> {
        match link {
            Some(link) if link.nonce == nonce && at < link.expires_at => Ok(()),
            Some(link) if link.nonce == nonce => Err(Rejection::LinkExpired),
            _ => Err(Rejection::LinkInvalid),
        }
    }
}

impl User {
    /// Whether sessions and access tokens of a credential epoch are still good.
    pub fn honours(&self, session: SessionId, epoch: u32) -> bool {
        self.standing == Standing::Active && (epoch >= self.epoch || self.kept == Some(session))
    }

    /// An identity by its id.
    pub fn identity(&self, id: IdentityId) -> Option<&Identity> {
        self.identities.iter().find(|known| known.id == id)
    }

    /// The activation link, until it is used.
    pub fn open_activation(&self) -> Option<OpenLink> {
        self.activation.filter(|_| self.standing == Standing::Inactive)
    }

    /// Refuses everybody who may not act.
    pub fn require_active(&self) -> Result<(), Rejection> {
        match self.standing {
            Standing::Active => Ok(()),
            Standing::Absent => Err(Rejection::Absent),
            Standing::Inactive => Err(Rejection::Inactive),
            Standing::Deactivated => Err(Rejection::Deactivated),
        }
    }

    fn with_password(
        mut self,
        password: &Sealed,
        by: &'static str,
        epoch: u32,
        kept: Option<SessionId>,
    ) -> Self {
        self.password = Some(password.clone());
        self.password_sealed_by = Some(by);
        self.reset = None;
        self.epoch = epoch;
        self.kept = kept;
        self
    }
}

/// Whether less than a span has passed since something that may never have happened.
fn is_recent(last: Option<Timestamp>, at: Timestamp, span: Lifetime) -> bool {
    last.is_some_and(|last| at < last + span)
}

#[cfg(test)]
mod samples {
    //! The facts that the tests of this aggregate start from.

    use super::*;

    pub const ANN: UserId = UserId::new(1);
    pub const FIRST_LINK: LinkNonce = LinkNonce::new(1);

    /// Seconds after the registration.
    pub fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    pub fn sealed(text: &str) -> Sealed {
        Sealed::from_bytes(text.into())
    }

    pub fn registered() -> Event {
        register::Register {
            user: ANN,
            username: sealed("ann"),
            email: sealed("ann@example.com"),
            first_name: sealed("Ann"),
            last_name: sealed(""),
            password: sealed("hash"),
            nonce: FIRST_LINK,
            lifetime: links::ACTIVATION_LIFETIME,
            at: at(0),
        }
        .into()
    }

    /// An account that began at an identity provider.
    pub fn registered_elsewhere() -> Event {
        let Event::UserRegistered(it) = registered() else { panic!("not a registration") };
        let (nonce, at) = (LinkNonce::new(0), at(1));
        UserRegistered { password: None, nonce, expires_at: at, at, ..it }.into()
    }

    pub fn identity(number: u128) -> IdentityId {
        IdentityId::new(uuid::Uuid::from_u128(number))
    }

    pub fn linked(provider: &str, number: u128) -> Event {
        IdentityLinked {
            identity: identity(number),
            provider: crate::ProviderName::parse(provider).unwrap(),
            subject: sealed("subject"),
            claim: format!("identity:{provider}:{number}"),
            address: None,
            at: at(2),
        }
        .into()
    }

    pub fn activated() -> Event {
        UserActivated { at: at(1) }.into()
    }
}
