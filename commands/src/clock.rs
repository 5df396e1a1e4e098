//! The only place that reads the time or makes an id.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keynest_crypto::random;
use keynest_domain::{
    ChallengeId, CommandId, FederationId, IdentityId, InvitationId, Lifetime, ProviderId,
    RequestId, SessionId, Timestamp,
};
use uuid::Uuid;

/// 2026-01-01T00:00:00Z in milliseconds: where integer ids begin (DESIGN 3).
const ID_EPOCH_MILLIS: i64 = 1_767_225_600_000;
const RANDOM_BITS: u32 = 12;

/// The process's clock and id source. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Added to the system's time; tests move it.
    offset_micros: AtomicI64,
    last_id: AtomicI64,
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let system = std::time::SystemTime::now();
        let since = system.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros.saturating_add(self.0.offset_micros.load(Ordering::Relaxed)))
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

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
