//! Failed sign-ins of one address: counting, locking, cooling off (DESIGN 8).

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, Lifetime, LoginId, Timestamp, UserId};

/// Failures after which an address is locked, where the configuration does not say.
pub const FAILURES_MAX: u32 = 5;
/// How long the first lock lasts; each further one without a success between lasts twice as long.
pub const COOL_OFF_FIRST: Lifetime = Lifetime::from_minutes(1);
/// The longest lock.
pub const COOL_OFF_MAX: Lifetime = Lifetime::from_hours(1);

/// When an address is locked and for how long: an argument of the decision. The log holds until when, so that a replay gives
/// the same locks whatever the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// Failures after which an address is locked.
    pub failures_max: u32,
    /// The first lock; each further one without a success between lasts twice as long.
    pub cool_off_first: Lifetime,
    /// The longest lock.
    pub cool_off_max: Lifetime,
}

impl Default for Lockout {
    fn default() -> Self {
        Self {
            failures_max: FAILURES_MAX,
            cool_off_first: COOL_OFF_FIRST,
            cool_off_max: COOL_OFF_MAX,
        }
    }
}

events! {
    /// A wrong password, or any password for an address without an account.
    LoginFailed = "login.failed" v 1,
    /// Too many failures: locked until a time that doubles with each further lock.
    LoginLocked = "login.locked" v 1,
    /// A success after failures: the count starts again.
    LoginUnlocked = "login.unlocked" v 1,
    /// Somebody asked for a mailed link, or registered, and no mail was due: recorded all the same, so that the log
    /// costs the same for every address.
    LinkNotSent = "login.link_not_sent" v 1,
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

/// See [`Event::LinkNotSent`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkNotSent {
    /// The account behind the address, if there is one.
    pub user: Option<UserId>,
    /// When it was asked for.
    pub at: Timestamp,
}

/// Why a sign-in is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Wrong password, no account, or one that is not active: nobody learns which.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// Too many failures; the password is not even looked at.
    #[error("locked after too many failures")]
    Locked {
        /// When the next try is heard.
        until: Timestamp,
    },
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
            Event::LinkNotSent(_) => {}
        }
        self
    }
}

impl Login {
    /// Refuses while locked.
    pub fn require_unlocked(&self, at: Timestamp) -> Result<(), Rejection> {
        match self.locked_until {
            Some(until) if at < until => Err(Rejection::Locked { until }),
            _ => Ok(()),
        }
    }
}

/// Counts a wrong password, and locks after the last that is allowed.
pub fn fail(
    state: &Login,
    user: Option<UserId>,
    lockout: &Lockout,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    state.require_unlocked(at)?;
    let mut events = vec![LoginFailed { user, at }.into()];
    if state.failures + 1 >= lockout.failures_max {
        let until = at + lockout.cool_off(state.locks);
        events.push(LoginLocked { user, until }.into());
    }
    Ok(events)
}

/// A right password: the count starts again. Refused while locked, as if it were wrong.
pub fn succeed(
    state: &Login,
    user: Option<UserId>,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    state.require_unlocked(at)?;
    Ok(unlock(state, user, at))
}

/// The owner proved the mailbox: a lock is lifted.
pub fn unlock(state: &Login, user: Option<UserId>, at: Timestamp) -> Vec<Event> {
    if *state == Login::default() {
        return Vec::new();
    }
    vec![LoginUnlocked { user, at }.into()]
}

impl Lockout {
    fn cool_off(&self, locks: u32) -> Lifetime {
        let doubled = self.cool_off_first.secs().saturating_mul(1 << locks.min(16));
        Lifetime::from_secs(doubled.min(self.cool_off_max.secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    const ANN: Option<UserId> = Some(UserId::new(1));

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    fn failed(seconds: u32) -> Event {
        LoginFailed { user: ANN, at: at(seconds) }.into()
    }

    fn locked(until: u32) -> Event {
        LoginLocked { user: ANN, until: at(until) }.into()
    }

    fn unlocked(seconds: u32) -> Event {
        LoginUnlocked { user: ANN, at: at(seconds) }.into()
    }

    fn fail(state: &Login, user: Option<UserId>, at: Timestamp) -> Result<Vec<Event>, Rejection> {
        super::fail(state, user, &Lockout::default(), at)
    }

    #[test]
    fn the_limits_are_those_of_the_operator() {
        let (first, longest) = (Lifetime::from_secs(10), Lifetime::from_secs(15));
        let strict = Lockout { failures_max: 2, cool_off_first: first, cool_off_max: longest };
        let fail = |it: &Login, seconds| super::fail(it, ANN, &strict, at(seconds));
        given::<Login>([]).when(|it| fail(it, 1)).then([failed(1)]);
        given::<Login>([failed(1)]).when(|it| fail(it, 2)).then([failed(2), locked(12)]);
        let again = [failed(1), failed(2), locked(12), failed(13)];
        given::<Login>(again).when(|it| fail(it, 14)).then([failed(14), locked(29)]);
    }

    #[test]
    fn the_fifth_failure_locks_for_a_minute() {
        let four = [failed(1), failed(2), failed(3), failed(4)];
        given::<Login>(four[..3].to_vec()).when(|it| fail(it, ANN, at(4))).then([failed(4)]);
        given::<Login>(four).when(|it| fail(it, ANN, at(5))).then([failed(5), locked(65)]);
    }

    #[test]
    fn a_lock_refuses_right_and_wrong_alike() {
        let why = Rejection::Locked { until: at(65) };
        given::<Login>([locked(65)]).when(|it| fail(it, ANN, at(64))).then_rejected(why);
        given::<Login>([locked(65)]).when(|it| succeed(it, ANN, at(64))).then_rejected(why);
        given::<Login>([locked(65)]).when(|it| succeed(it, ANN, at(65))).then([unlocked(65)]);
    }

    #[test]
    fn locks_double_up_to_an_hour() {
        let minutes: Vec<u32> = {
            let lockout = Lockout::default();
            (0..8).map(|locks| lockout.cool_off(locks).secs() / 60).collect()
        };
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(Lockout::default().cool_off(u32::MAX), COOL_OFF_MAX);
    }

    #[test]
    fn a_success_starts_the_count_again() {
        given::<Login>([]).when(|it| succeed(it, ANN, at(1))).then_nothing();
        given::<Login>([failed(1)]).when(|it| succeed(it, ANN, at(2))).then([unlocked(2)]);
        let past = [failed(1), failed(1), failed(1), failed(1), unlocked(2)];
        given::<Login>(past).when(|it| fail(it, ANN, at(3))).then([failed(3)]);
    }

    #[test]
    fn a_proved_mailbox_lifts_a_lock() {
        let unlock = |it: &Login| Ok::<_, Rejection>(unlock(it, ANN, at(1)));
        given::<Login>([locked(65)]).when(unlock).then([unlocked(1)]);
        given::<Login>([]).when(unlock).then_nothing();
    }
}
