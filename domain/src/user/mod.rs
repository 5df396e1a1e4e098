//! A person's account: registration, activation, profile, password.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, LinkNonce, Sealed, SessionId, Timestamp, UserId};

events! {
    /// An account was asked for; it is inactive until its address is confirmed.
    UserRegistered = "user.registered" v 1,
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
    /// The password's hash in PHC form, sealed.
    pub password: Sealed,
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
#[expect(missing_docs, reason = "fields are named after what they hold")]
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

/// A mailed link that is still good until its time.
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
    /// When the last mail that a stranger can trigger was asked for.
    pub last_link_at: Option<Timestamp>,
    pub refuses_notices: bool,
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
                self.password = Some(it.password.clone());
                self.password_sealed_by = Some(name);
                self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.last_link_at = Some(it.at);
            }
            Event::RegistrationRepeated(it) => self.last_link_at = Some(it.at),
            Event::ActivationRequested(it) => {
                self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.last_link_at = Some(it.at);
            }
            Event::UserActivated(_) => {
                self.standing = Standing::Active;
                self.was_activated = true;
                self.activation = None;
            }
            Event::ProfileUpdated(it) => {
                self.first_name = Some(it.first_name.clone());
                self.last_name = Some(it.last_name.clone());
                self.names_sealed_by = Some(name);
            }
            Event::PasswordChanged(it) => {
                self = self.with_password(&it.password, name, it.epoch, it.kept);
            }
            Event::PasswordResetRequested(it) => {
                self.reset = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.last_link_at = Some(it.at);
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
        }
        self
    }
}

impl User {
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
