//! A host that keeps failing is left alone for a while, so that it costs the others nothing (THREATS F16).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which a host rests.
pub const FAILURES_MAX: u32 = 5;
/// How long it rests before one request tries again.
pub const REST: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Default)]
pub struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

/// One request under way; not ended, it is a failure: whoever gave up waiting had waited long.
pub struct Trial<'a> {
    breaker: &'a Breaker,
    is_good: bool,
}

impl Breaker {
    /// Lets a request through, unless the host rests. After its rest one request tries first.
    pub fn begin(&self) -> Option<Trial<'_>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = state.rests_until {
            let now = Instant::now();
            if now < until {
                return None;
            }
            state.rests_until = Some(now + REST);
        }
        Some(Trial { breaker: self, is_good: false })
    }
}

impl Trial<'_> {
    /// How it went.
    pub fn end(mut self, is_good: bool) {
        self.is_good = is_good;
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_good {
            *state = State::default();
            return;
        }
        state.failures += 1;
        if state.failures >= FAILURES_MAX {
            state.rests_until = Some(Instant::now() + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker) {
        breaker.begin().expect("let through").end(false);
    }

    #[tokio::test(start_paused = true)]
    async fn the_fifth_failure_in_a_row_gives_the_host_a_rest() {
        let breaker = Breaker::default();
        (1..FAILURES_MAX).for_each(|_| fail(&breaker));
        breaker.begin().unwrap().end(true);
        (0..FAILURES_MAX).for_each(|_| fail(&breaker));
        assert!(breaker.begin().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_rest_one_request_tries_for_all() {
        let breaker = Breaker::default();
        (0..FAILURES_MAX).for_each(|_| fail(&breaker));
        tokio::time::advance(REST).await;
        let first = breaker.begin().expect("one tries");
        assert!(breaker.begin().is_none(), "the others wait for it");
        first.end(true);
        assert!(breaker.begin().is_some());
    }
}
