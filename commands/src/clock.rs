//! The only place that reads the time or makes an id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use keynest_crypto::random;
use keynest_domain::{
    ChallengeId, CommandId, FederationId, IdentityId, InvitationId, Lifetime, ProviderId,
    RequestId, SessionId, Timestamp,
};
use uuid::Uuid;

/// 2026-01-01T00:00:00Z in milliseconds: where integer ids begin (DESIGN 3).
const ID_EPOCH_MILLIS: i64 = 1_767_225_600_000;
const RANDOM_BITS: u32 = 12;
/// How far the system's time may step, or be away from the database's, and still be believed (DESIGN 9).
pub const SKEW_MAX: Lifetime = Lifetime::from_secs(5);

/// The process's clock and id source. Clones share both.
///
/// It tells the system's time until that steps: then it goes on by the monotonic clock, as if nothing had happened, until
/// the system's time agrees with the database's again. Nothing expires because somebody set a clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Added to the system's time; tests move it.
    offset_micros: AtomicI64,
    last_id: AtomicI64,
    started: Instant,
    /// The system's time at `started`, by what was believed last.
    believed_micros: AtomicI64,
    is_wrong: AtomicBool,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            offset_micros: AtomicI64::default(),
            last_id: AtomicI64::default(),
            started: Instant::now(),
            believed_micros: AtomicI64::new(system_micros()),
            is_wrong: AtomicBool::default(),
        }
    }
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        let (system, carried) = (system_micros(), self.carried_micros());
        self.told(if is_near(system, carried) { system } else { carried })
    }

    /// What the system says, believed or not.
    pub fn system(&self) -> Timestamp {
        self.told(system_micros())
    }

    /// Holds this clock against the database's, as each process does all the time. The system's time is believed, whatever
    /// it did before, when the two agree.
    pub fn compare(&self, database: Timestamp) {
        let system = system_micros();
        if is_near(self.told(system).micros(), database.micros()) {
            let believed = system.saturating_sub(self.elapsed_micros());
            self.0.believed_micros.store(believed, Ordering::Relaxed);
        }
        let is_wrong = !is_near(self.now().micros(), database.micros());
        self.0.is_wrong.store(is_wrong, Ordering::Relaxed);
    }

    /// Whether it differed from the database's when they were last compared: what a clock starts rests meanwhile.
    pub fn is_wrong(&self) -> bool {
        self.0.is_wrong.load(Ordering::Relaxed)
    }

    fn told(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(micros.saturating_add(self.0.offset_micros.load(Ordering::Relaxed)))
    }

    fn carried_micros(&self) -> i64 {
        self.0.believed_micros.load(Ordering::Relaxed).saturating_add(self.elapsed_micros())
    }

    fn elapsed_micros(&self) -> i64 {
        i64::try_from(self.0.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// Moves this clock and its clones ahead of the system's time, for tests of expiry.
    pub fn advance(&self, span: Lifetime) {
        self.0.offset_micros.fetch_add(i64::from(span.secs()) * 1_000_000, Ordering::Relaxed);
    }

    /// A new integer id: milliseconds and randomness, rising strictly through bursts and clock steps.
    pub fn integer_id(&self) -> i64 {
        let millis = (self.now().micros() / 1_000 - ID_EPOCH_MILLIS).max(0);
        let random = (random::bits128() & ((1 << RANDOM_BITS) - 1)) as i64;
        let wanted = (millis << RANDOM_BITS) | random;
        let last = self
            .0
            .last_id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(wanted.max(last + 1)))
            .unwrap_or_else(|last| last);
        wanted.max(last + 1)
    }

    /// A new request id.
    pub fn request_id(&self) -> RequestId {
        RequestId::new(self.uuid())
    }

    /// A new id of an identity.
    pub fn identity_id(&self) -> IdentityId {
        IdentityId::new(self.uuid())
    }

    /// A new id of a provider that an administrator sets up.
    pub fn provider_id(&self) -> ProviderId {
        ProviderId::new(self.uuid())
    }

    /// A new id of a trip to an identity provider.
    pub fn federation_id(&self) -> FederationId {
        FederationId::new(self.uuid())
    }

    /// A new command id.
    pub fn command_id(&self) -> CommandId {
        CommandId::new(self.uuid())
    }

    /// A new session id.
    pub fn session_id(&self) -> SessionId {
        SessionId::new(self.uuid())
    }

    /// A new id for a question or a ceremony.
    pub fn challenge_id(&self) -> ChallengeId {
        ChallengeId::new(self.uuid())
    }

    /// A new invitation id.
    pub fn invitation_id(&self) -> InvitationId {
        InvitationId::new(self.uuid())
    }

    fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or(0);
        let mut random = [0; 10];
        random.copy_from_slice(&random::bits128().to_le_bytes()[..10]);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

fn system_micros() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let system = std::time::SystemTime::now();
    let since = system.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= u64::from(SKEW_MAX.secs()) * 1_000_000
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const YEAR: Lifetime = Lifetime::from_days(400);

    /// As a step of the system's time by so much looks from inside.
    fn stepped(by: i64) -> (Clock, Timestamp) {
        let clock = Clock::default();
        let before = clock.now();
        clock.0.believed_micros.fetch_sub(by, Ordering::Relaxed);
        (clock, Timestamp::from_micros(before.micros() - by))
    }

    fn assert_near(one: Timestamp, other: Timestamp) {
        assert!(is_near(one.micros(), other.micros()), "{one:?} {other:?}");
    }

    #[test]
    fn a_step_of_the_system_s_time_moves_nothing() {
        for by in [3_600, -3_600, i64::from(YEAR.secs()), -i64::from(YEAR.secs())] {
            let (clock, truth) = stepped(by * 1_000_000);
            assert_near(clock.now(), truth);
            clock.compare(truth);
            assert_near(clock.now(), truth);
            assert!(!clock.is_wrong(), "it goes on by the truth");
            let wrong = clock.system().micros() - truth.micros();
            assert!(is_near(wrong, by * 1_000_000), "readiness sees it");
        }
    }

    #[test]
    fn the_system_is_believed_again_once_it_agrees_with_the_database() {
        // A machine that slept: its monotonic clock stood still.
        let (clock, _) = stepped(3_600_000_000);
        clock.compare(clock.system());
        assert_near(clock.now(), clock.system());
        assert!(!clock.is_wrong());
    }

    #[test]
    fn a_database_that_is_elsewhere_is_not_followed() {
        let clock = Clock::default();
        clock.compare(clock.now() + YEAR);
        assert_near(clock.now(), clock.system());
        assert!(clock.is_wrong());
        clock.compare(clock.now());
        assert!(!clock.is_wrong());
    }

    #[test]
    fn ids_rise_strictly_and_are_json_safe() {
        let clock = Clock::default();
        let ids: Vec<i64> = (0..10_000).map(|_| clock.integer_id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| (1..=keynest_domain::ID_MAX).contains(id)));
    }

    #[test]
    fn parallel_ids_are_never_the_same() {
        let clock = Clock::default();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let clock = clock.clone();
                std::thread::spawn(move || {
                    (0..5_000).map(|_| clock.integer_id()).collect::<Vec<_>>()
                })
            })
            .collect();
        let ids: HashSet<i64> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 40_000);
    }
}
