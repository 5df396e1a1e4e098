//! One sign-in on one device: refresh-token generations, end, theft (DESIGN 8).

pub mod end;
pub mod reauthenticate;
pub mod refresh;
pub mod start;

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, KeyId, Lifetime, SessionId, Timestamp, UserId};

/// How long a session lives without being refreshed, where the configuration does not say.
pub const IDLE: Lifetime = Lifetime::from_days(7);
/// The absolute end of a session, where the configuration does not say; it says at most this.
pub const ABSOLUTE: Lifetime = Lifetime::from_days(30);
/// How long the previous refresh token answers with its successor after that was first used.
pub const GRACE: Lifetime = Lifetime::from_secs(10);

/// How long sessions live: an argument of every decision about one. The log holds only when a session began and was used, so
/// that a replay gives the same state whatever the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without being refreshed.
    pub idle: Lifetime,
    /// At most.
    pub absolute: Lifetime,
    /// How long a replaced refresh token answers with its successor after that was first used.
    pub grace: Lifetime,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { idle: IDLE, absolute: ABSOLUTE, grace: GRACE }
    }
}

events! {
    /// Signed in: generation 0.
    SessionStarted = "session.started" v 2,
    /// The person behind it proved again who they are: sensitive actions are open for a while.
    SessionReauthenticated = "session.reauthenticated" v 1,
    /// The newest refresh token was used; its successor is the next generation. With the generation unchanged: the one
    /// before it is still in use.
    SessionRefreshed = "session.refreshed" v 1,
    /// No token of this session is good any more.
    SessionEnded = "session.ended" v 1,
    /// A token older than the previous generation was presented: theft.
    RefreshTokenReuseDetected = "session.refresh_token_reuse_detected" v 1,
}

/// See [`Event::SessionStarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SessionStarted {
    pub session: SessionId,
    pub user: UserId,
    /// The user's credential epoch at sign-in; a newer one ends the session.
    pub epoch: u32,
    /// The key that derives refresh tokens of generation 0.
    pub refresh_key: KeyId,
    pub method: SignInMethod,
    /// What was proved besides; `None` where the account has no second factor.
    pub second_factor: Option<SecondFactor>,
    pub at: Timestamp,
}

/// See [`Event::SessionReauthenticated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SessionReauthenticated {
    /// What was proved besides the password or instead of it.
    pub second_factor: Option<SecondFactor>,
    pub at: Timestamp,
}

/// See [`Event::SessionRefreshed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SessionRefreshed {
    pub generation: u32,
    pub refresh_key: KeyId,
    pub at: Timestamp,
}

/// See [`Event::SessionEnded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SessionEnded {
    pub session: SessionId,
    pub user: UserId,
    pub reason: EndReason,
}

/// See [`Event::RefreshTokenReuseDetected`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RefreshTokenReuseDetected {
    pub user: UserId,
    /// The generation that was presented.
    pub presented: u32,
}

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// Address and password.
    Password,
    /// An identity at another provider.
    Federated,
    /// A passkey alone, with its holder verified by the device.
    Passkey,
}

/// What somebody proved besides the first factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// A code of an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
    /// One of the codes for a lost factor.
    RecoveryCode,
}

impl SignInMethod {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Federated => "federated",
            Self::Passkey => "passkey",
        }
    }
}

impl SecondFactor {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person signed out.
    SignedOut,
    /// A refresh token was presented twice.
    TokenReuse,
    /// Idle or absolute lifetime is over.
    Expired,
    /// The password changed or the account was deactivated.
    CredentialsChanged,
}

/// What a session's rules refuse. The caller must sign in again in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The id is in use.
    #[error("there is a session with this id")]
    AlreadyStarted,
    /// Never issued.
    #[error("the refresh token is not valid")]
    TokenInvalid,
    /// Signed out or ended otherwise.
    #[error("the session has ended")]
    Ended,
    /// Idle or absolute lifetime is over.
    #[error("the session has expired")]
    Expired,
    /// The password changed, or the account is closed.
    #[error("the session began with other credentials")]
    CredentialsChanged,
    /// A token was used that had long been replaced.
    #[error("the refresh token was used before")]
    Reused,
    /// Good, but what is asked for needs somebody who has just proved who they are.
    #[error("the last authentication is too long ago")]
    StepUpRequired,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Session {
    pub id: Option<SessionId>,
    pub user: Option<UserId>,
    pub epoch: u32,
    pub started_at: Option<Timestamp>,
    /// When the person last proved who they are: at sign-in, or since.
    pub authenticated_at: Option<Timestamp>,
    /// What was proved besides the first factor at sign-in.
    pub second_factor: Option<SecondFactor>,
    /// When it was last refreshed, as exactly as [`refresh::NOTED_EVERY`].
    pub last_used_at: Option<Timestamp>,
    /// The newest generation that was handed out, and the key that derives it.
    pub generation: u32,
    pub refresh_key: Option<KeyId>,
    /// The key that derives the generation before.
    pub previous_key: Option<KeyId>,
    /// When the newest generation was handed out, which is when the one before it was first used.
    pub rotated_at: Option<Timestamp>,
    pub has_ended: bool,
}

impl Aggregate for Session {
    type Id = SessionId;
    type Event = Event;
    const CATEGORY: &'static str = "session";

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::SessionStarted(started) => {
                self.id = Some(started.session);
                self.user = Some(started.user);
                self.epoch = started.epoch;
                self.started_at = Some(started.at);
                self.authenticated_at = Some(started.at);
                self.second_factor = started.second_factor;
                self.last_used_at = Some(started.at);
                self.refresh_key = Some(started.refresh_key);
            }
            Event::SessionReauthenticated(it) => self.authenticated_at = Some(it.at),
            Event::SessionRefreshed(refreshed) => {
                self.last_used_at = Some(refreshed.at);
                if refreshed.generation != self.generation {
                    self.generation = refreshed.generation;
                    self.previous_key = self.refresh_key.replace(refreshed.refresh_key);
                    self.rotated_at = Some(refreshed.at);
                }
            }
            Event::SessionEnded(_) => self.has_ended = true,
            Event::RefreshTokenReuseDetected(_) => {}
        }
        self
    }
}

impl Session {
    /// Whether idle or absolute lifetime is over.
    pub fn has_expired(&self, lifetimes: &Lifetimes, at: Timestamp) -> bool {
        let is_over = |from: Option<Timestamp>, span| from.is_none_or(|from| at >= from + span);
        is_over(self.last_used_at, lifetimes.idle) || is_over(self.started_at, lifetimes.absolute)
    }

    /// Refuses unless somebody has proved within a span who they are.
    pub fn require_fresh(&self, at: Timestamp, span: Lifetime) -> Result<(), Rejection> {
        let is_fresh = self.authenticated_at.is_some_and(|last| at < last + span);
        if is_fresh && !self.has_ended { Ok(()) } else { Err(Rejection::StepUpRequired) }
    }
}

#[cfg(test)]
mod samples {
    //! The facts that the tests of this aggregate start from.

    use uuid::Uuid;

    use super::*;

    pub const ANN: UserId = UserId::new(1);
    pub const LAPTOP: SessionId = SessionId::new(Uuid::from_u128(1));

    /// Seconds after the sign-in.
    pub fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    /// The key that derives a generation in these tests.
    pub fn key(generation: u32) -> KeyId {
        KeyId::new(Uuid::from_u128(u128::from(generation) + 100))
    }

    pub fn started() -> Event {
        SessionStarted {
            session: LAPTOP,
            user: ANN,
            epoch: 0,
            refresh_key: key(0),
            method: SignInMethod::Password,
            second_factor: None,
            at: at(0),
        }
        .into()
    }

    pub fn refreshed(generation: u32, seconds: u32) -> Event {
        SessionRefreshed { generation, refresh_key: key(generation), at: at(seconds) }.into()
    }

    pub fn ended(reason: EndReason) -> Event {
        SessionEnded { session: LAPTOP, user: ANN, reason }.into()
    }
}
