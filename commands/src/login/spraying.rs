//! Wrong passwords for many accounts: each account stays below its own lock, so somebody has to look at them together.
//! It is told to the people who run KeyNest and refused to nobody: a limit over all accounts would be a weapon against all
//! of them (THREATS A6, A9).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use keynest_domain::refusals::Scope;
use keynest_domain::{Email, Lifetime, LoginId, Timestamp};

use crate::access::Refusal;
use crate::{Commands, Origin};

/// Accounts are looked at together for so long; then it begins again.
pub const SPRAYING_WINDOW: Lifetime = Lifetime::from_minutes(10);
/// So many accounts in that time are told, where the configuration does not say.
pub const SPRAYING_ACCOUNTS: u32 = 50;
const CODE: &str = "password_spraying";
const ROUTE: &str = "POST /api/auth/login/";

/// Accounts of one process with a wrong password lately, known or not; as many as it takes to tell.
#[derive(Default)]
pub(crate) struct Spraying(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    since: Option<Timestamp>,
    accounts: HashSet<LoginId>,
}

impl Spraying {
    /// Whether it is time to tell: once, with the account that makes them too many.
    fn note(&self, account: LoginId, accounts_max: u32, at: Timestamp) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.since.is_none_or(|since| since + SPRAYING_WINDOW <= at) {
            *lately = Lately { since: Some(at), accounts: HashSet::new() };
        }
        let accounts_max = usize::try_from(accounts_max).unwrap_or(usize::MAX);
        if lately.accounts.len() >= accounts_max {
            return false;
        }
        lately.accounts.insert(account) && lately.accounts.len() == accounts_max
    }
}

impl Commands {
    /// Notes a wrong password. What it comes to is on record for the instance: in the log, in a counter, in the audit log.
    pub(super) async fn note_wrong_password(&self, origin: &Origin, address: &Email) {
        let accounts = self.settings().spraying_accounts;
        let account = self.keyring().login_id(address);
        if !self.spraying().note(account, accounts, self.clock().now()) {
            return;
        }
        metrics::counter!("keynest_password_spraying_total").increment(1);
        tracing::warn!(accounts, "wrong passwords for many accounts: somebody is spraying");
        let refusal = Refusal {
            scope: Scope::Public,
            route: ROUTE.to_owned(),
            object: Some(accounts.to_string()),
            code: CODE,
        };
        // Of nobody in particular: whoever came last is not who did it.
        if let Err(error) = self.record_refusal(&Origin::product(origin.request), refusal).await {
            tracing::error!(%error, "password spraying could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_minutes(minutes)
    }

    fn account(n: u128) -> LoginId {
        LoginId::new(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn it_is_told_once_in_a_window_and_only_for_different_accounts() {
        let spraying = Spraying::default();
        for _ in 0..10 {
            assert!(!spraying.note(account(1), 3, at(0)), "the same account again");
        }
        assert!(!spraying.note(account(2), 3, at(1)));
        assert!(spraying.note(account(3), 3, at(2)));
        assert!(!spraying.note(account(4), 3, at(9)), "told already");
        assert!(!spraying.note(account(1), 3, at(10)), "a new window");
        assert!(!spraying.note(account(2), 3, at(10)));
        assert!(spraying.note(account(5), 3, at(19)));
    }

    #[test]
    fn slow_ones_are_not_many_and_nothing_is_told_where_it_is_off() {
        let (slow, off) = (Spraying::default(), Spraying::default());
        for n in 0..20 {
            assert!(!slow.note(account(n), 3, at(u32::try_from(n).unwrap() * 5)));
            assert!(!off.note(account(n), 0, at(0)));
        }
    }
}
