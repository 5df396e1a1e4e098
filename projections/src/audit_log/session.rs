//! Sign-ins, good and bad, in the audit log.

use keynest_domain::session::{EndReason, Event, SecondFactor};
use keynest_domain::{UserId, challenge, login};
use serde_json::json;

use super::entry::Entry;
use super::facts::{Fact, Facts, Kind};
use crate::projection::Applied;

pub(crate) fn describe(applied: &Applied, event: &Event, facts: &mut Facts) -> Entry {
    let session = applied.recorded.stream.id().to_owned();
    let owner = facts.get(Kind::Session, &session).user();
    match event {
        Event::SessionStarted(it) => {
            let user = Some(it.user.to_string());
            facts.set(Kind::Session, &session, Fact { user, ..Fact::default() });
            let second_factor = it.second_factor.map(SecondFactor::name);
            let details = json!({
                "method": "jwt", "session": session, "by": it.method.name(),
                "second_factor": second_factor,
            });
            Entry::new("login", "user", it.user, details).by_owner(Some(it.user))
        }
        Event::SessionReauthenticated(it) => {
            let second_factor = it.second_factor.map(SecondFactor::name);
            let details = json!({"second_factor": second_factor});
            Entry::new("reauthenticate", "session", session, details).by_owner(owner)
        }
        Event::SessionRefreshed(it) => {
            let details = json!({"generation": it.generation});
            Entry::new("token_refresh", "session", session, details).by_owner(owner)
        }
        Event::SessionEnded(it) => match it.reason {
            EndReason::SignedOut => {
                let details = json!({"session": session});
                Entry::new("logout", "user", it.user, details).by_owner(Some(it.user))
            }
            EndReason::TokenReuse => ended(session, it.user, "token_reuse"),
            EndReason::Expired => ended(session, it.user, "expired"),
            EndReason::CredentialsChanged => ended(session, it.user, "credentials_changed"),
        },
        Event::RefreshTokenReuseDetected(it) => {
            let details = json!({"presented_generation": it.presented});
            Entry::new("token_reuse", "session", session, details)
                .about(Some(it.user))
                .outcome("refused")
        }
    }
}

/// The product ended it, not its owner.
fn ended(session: String, user: UserId, reason: &str) -> Entry {
    Entry::new("session_end", "session", session, json!({"reason": reason})).about(Some(user))
}

/// An address without an account has an entry that nobody but the operator sees.
pub(crate) fn describe_login(event: &login::Event) -> Entry {
    let entry = |action, user: Option<UserId>, details| {
        let target = user.map_or_else(String::new, |user| user.to_string());
        Entry::new(action, "user", target, details).about(user)
    };
    match event {
        login::Event::LoginFailed(it) => {
            entry("login_failed", it.user, json!({})).outcome("failed")
        }
        login::Event::LoginLocked(it) => {
            let details = json!({"locked_until": it.until.iso()});
            entry("login_locked", it.user, details).outcome("refused")
        }
        login::Event::LoginUnlocked(it) => entry("login_unlocked", it.user, json!({})),
        login::Event::LinkNotSent(it) => {
            entry("link_not_sent", it.user, json!({})).outcome("refused")
        }
    }
}

/// The step between the two factors. Whoever is asked has not proved to be the owner yet.
pub(crate) fn describe_challenge(event: &challenge::Event) -> Entry {
    let entry =
        |action, user: UserId, details| Entry::new(action, "user", user, details).about(Some(user));
    match event {
        challenge::Event::ChallengeIssued(it) => {
            entry("second_factor_ask", it.user, json!({"by": it.method.name()}))
        }
        challenge::Event::ChallengeFailed(it) => {
            entry("second_factor_fail", it.user, json!({})).outcome("failed")
        }
        challenge::Event::ChallengeAnswered(it) => {
            entry("second_factor_answer", it.user, json!({}))
        }
    }
}
