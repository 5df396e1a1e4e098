//! Refused calls, one event per caller and code in a minute, then a count: a flood cannot fill the log (DESIGN 3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use keynest_domain::refusals::{self, AccessRefused, Scope};
use keynest_domain::{Lifetime, Timestamp, UserId};

use crate::{CommandError, Commands, Origin, Unit};

/// How long repeats are counted before the count is written.
pub const REFUSAL_WINDOW: Lifetime = Lifetime::from_minutes(1);
/// Callers and codes that are told apart at most; beyond it callers are counted together.
pub const REFUSALS_HELD_MAX: usize = 10_000;

/// A call that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Where it is filed.
    pub scope: Scope,
    /// Method and route pattern.
    pub route: String,
    /// The id in the path, if there is one.
    pub object: Option<String>,
    /// The problem's stable code.
    pub code: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    scope: Scope,
    caller: Option<Known>,
    code: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Known {
    Account(UserId),
    Address(IpAddr),
}

struct Repeats {
    since: Timestamp,
    count: u32,
    last: Refusal,
    origin: Origin,
}

/// Repeats that are not written yet, of one process.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<Kind, Repeats>>);

impl Commands {
    /// Files a refusal: at once if it is this caller's first of its code in a minute, else as a part of a count.
    pub async fn record_refusal(
        &self,
        origin: &Origin,
        refusal: Refusal,
    ) -> Result<(), CommandError> {
        match self.refusals().note(self.clock().now(), origin, &refusal) {
            Some(count) => self.append_refusal(origin, refusal, count).await,
            None => Ok(()),
        }
    }

    /// Writes the counts of the minutes that are over. Called every minute.
    pub async fn flush_refusals(&self) -> Result<(), CommandError> {
        for repeats in self.refusals().take(self.clock().now()) {
            self.append_refusal(&repeats.origin, repeats.last, repeats.count).await?;
        }
        Ok(())
    }

    async fn append_refusal(
        &self,
        origin: &Origin,
        refusal: Refusal,
        count: u32,
    ) -> Result<(), CommandError> {
        let Refusal { scope, route, object, code } = refusal;
        let mut unit = Unit::new(self, origin, true);
        if let Scope::Organization(organization) = scope {
            unit.file_under(organization);
        }
        let event = AccessRefused { route, object, code: code.to_owned(), count };
        unit.stage_any::<refusals::Refusals>(scope, event.into());
        let append = unit.to_append(self.clock().command_id()).await?;
        self.store().append(append).await.map_err(CommandError::Append)?;
        Ok(())
    }
}

impl Refusals {
    /// How many refusals to write now, if any.
    fn note(&self, now: Timestamp, origin: &Origin, refusal: &Refusal) -> Option<u32> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = || origin.client.as_ref()?.address.map(Known::Address);
        let caller = origin.actor.map(Known::Account).or_else(address);
        let mut kind = Kind { scope: refusal.scope, caller, code: refusal.code };
        if held.len() >= REFUSALS_HELD_MAX && !held.contains_key(&kind) {
            kind = Kind { scope: Scope::Public, caller: None, code: refusal.code };
        }
        let last = Refusal { scope: kind.scope, ..refusal.clone() };
        let fresh = Repeats { since: now, count: 0, last, origin: origin.clone() };
        match held.get_mut(&kind) {
            Some(repeats) if repeats.since + REFUSAL_WINDOW > now => {
                *repeats = Repeats { since: repeats.since, count: repeats.count + 1, ..fresh };
                None
            }
            Some(repeats) => Some(std::mem::replace(repeats, fresh).count + 1),
            None => {
                held.insert(kind, fresh);
                Some(1)
            }
        }
    }

    fn take(&self, now: Timestamp) -> Vec<Repeats> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = held.extract_if(|_, repeats| repeats.since + REFUSAL_WINDOW <= now);
        over.map(|(_, repeats)| repeats).filter(|repeats| repeats.count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use keynest_domain::{OrganizationId, RequestId};
    use uuid::Uuid;

    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(43_200_000_000);

    fn by(actor: i64) -> Origin {
        Origin { actor: Some(UserId::new(actor)), ..Origin::product(RequestId::new(Uuid::nil())) }
    }

    fn refusal(code: &'static str) -> Refusal {
        let scope = Scope::Organization(OrganizationId::new(1));
        Refusal { scope, route: "GET /x/{id}/".into(), object: Some("7".into()), code }
    }

    #[test]
    fn the_first_of_a_minute_is_written_and_the_others_are_counted() {
        let refusals = Refusals::default();
        let note = |at, actor, code| refusals.note(at, &by(actor), &refusal(code));
        let first: Vec<_> = (0..5).map(|_| note(NOON, 1, "not_found")).collect();
        assert_eq!(first, [Some(1), None, None, None, None]);
        assert_eq!(note(NOON, 2, "not_found"), Some(1), "another caller");
        assert_eq!(note(NOON, 1, "role_too_weak"), Some(1), "another code");
        assert!(refusals.take(NOON).is_empty(), "the minute is not over");
        let later = NOON + REFUSAL_WINDOW;
        let counts: Vec<u32> = refusals.take(later).iter().map(|it| it.count).collect();
        assert_eq!(counts, [4], "single ones have been written already");
        assert_eq!(note(later, 1, "not_found"), Some(1), "a new minute");
    }

    #[test]
    fn a_new_minute_writes_the_count_of_the_last_one_without_a_flush() {
        let refusals = Refusals::default();
        let note = |at| refusals.note(at, &by(1), &refusal("not_found"));
        assert_eq!([note(NOON), note(NOON), note(NOON)], [Some(1), None, None]);
        assert_eq!(note(NOON + REFUSAL_WINDOW), Some(3), "two held ones and this one");
    }

    #[test]
    fn a_flood_of_callers_holds_a_bounded_number_of_counts() {
        let refusals = Refusals::default();
        let written = (0..REFUSALS_HELD_MAX as i64 + 500)
            .filter_map(|id| refusals.note(NOON, &by(id), &refusal("not_found")))
            .count();
        assert_eq!(written, REFUSALS_HELD_MAX + 1);
        let taken = refusals.take(NOON + REFUSAL_WINDOW);
        assert_eq!(taken.iter().map(|it| it.count).sum::<u32>(), 499);
        assert!(taken.iter().all(|it| it.last.scope == Scope::Public));
    }
}
