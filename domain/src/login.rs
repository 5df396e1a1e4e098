//! Failed sign-ins of one address: counting, locking, cooling off (DESIGN 8).

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, LoginId, Timestamp, UserId};

/// Failures after which an address is locked.
pub const FAILURES_MAX: u32 = 5;

events! {
    /// A wrong password, or any password for an address without an account.
    LoginFailed = "login.failed" v 1,
    /// Too many failures: locked until a time that doubles with each further lock.
    LoginLocked = "login.locked" v 1,
    /// A success after failures: the count starts again.
    LoginUnlocked = "login.unlocked" v 1,
}

/// See [`Event::LoginFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LoginFailed {
    /// The account behind the address, if there is one.
    pub user: Option<UserId>,
    pub at: Timestamp,
}

/// See [`Event::LoginLocked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LoginLocked {
    pub user: Option<UserId>,
    pub until: Timestamp,
}

/// See [`Event::LoginUnlocked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LoginUnlocked {
    pub user: Option<UserId>,
    pub at: Timestamp,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Login {
    /// Failures since the last success or lock.
    pub failures: u32,
    /// Locks since the last success.
    pub locks: u32,
    pub locked_until: Option<Timestamp>,
}

impl Aggregate for Login {
    type Id = LoginId;
    type Event = Event;
    const CATEGORY: &'static str = "login";

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::LoginFailed(_) => self.failures += 1,
            Event::LoginLocked(locked) => {
                self.failures = 0;
                self.locks += 1;
                self.locked_until = Some(locked.until);
            }
            Event::LoginUnlocked(_) => self = Self::default(),
        }
        self
    }
}
