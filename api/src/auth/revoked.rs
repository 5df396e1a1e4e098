//! What ended in the last hour, and nothing else: access tokens do not live longer.

use std::collections::HashMap;

use keynest_crypto::{ACCESS_TOKEN_LIFETIME, AccessClaims};
use keynest_domain::session::Session;
use keynest_domain::user::{ENDS_SESSIONS, Ends, User};
use keynest_domain::{
    Aggregate, Event, Lifetime, SessionId, StreamName, Timestamp, UserId, session,
};

/// Kept longer than tokens live, for clocks that differ.
const KEPT_FOR: Lifetime = Lifetime::from_secs(ACCESS_TOKEN_LIFETIME.secs() + 300);
/// Between two looks for what is too old.
const PRUNED_EVERY: Lifetime = Lifetime::from_minutes(1);

/// Why a token is not good any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Ended,
    Closed,
}

/// Ended sessions, and the newest credential epochs.
#[derive(Debug, Default)]
pub struct Revoked {
    sessions: HashMap<SessionId, Timestamp>,
    epochs: HashMap<UserId, Epoch>,
    pruned_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Epoch {
    epoch: u32,
    kept: Option<SessionId>,
    is_closed: bool,
    at: Timestamp,
}

/// Whether an event of this name can end anything, so that the others need not be decoded.
pub fn is_ending(name: &str) -> bool {
    name == "session.ended" || ENDS_SESSIONS.contains(&name)
}

impl Revoked {
    /// Notes a session that ended.
    pub fn end(&mut self, session: SessionId, at: Timestamp) {
        self.sessions.insert(session, at);
    }

    /// Notes what an event of a stream ended.
    pub fn take(&mut self, stream_id: &str, event: &Event, at: Timestamp) {
        if let Event::Session(session::Event::SessionEnded(ended)) = event {
            self.end(ended.session, at);
        }
        let Event::User(event) = event else { return };
        let Some(Ends { epoch, kept, is_closed, .. }) = event.ends() else { return };
        if let Ok(user) = stream_id.parse::<UserId>() {
            self.epochs.insert(user, Epoch { epoch, kept, is_closed, at });
        }
    }

    /// Notes that an event of a stream ended something that this version cannot read: the session, or all of the account. A
    /// newer process wrote it, and whoever it shut out must not stay here.
    pub fn take_unreadable(&mut self, stream: &StreamName, at: Timestamp) {
        if stream.category() == Session::CATEGORY
            && let Ok(session) = stream.id().parse()
        {
            self.end(session, at);
        } else if stream.category() == User::CATEGORY
            && let Ok(user) = stream.id().parse()
        {
            let epoch = Epoch { epoch: u32::MAX, kept: None, is_closed: false, at };
            self.epochs.insert(user, epoch);
        }
    }

    /// What is known of a token.
    pub fn verdict(&self, claims: &AccessClaims) -> Verdict {
        let epoch = self.epochs.get(&claims.user);
        let outdated =
            epoch.filter(|it| claims.epoch < it.epoch && it.kept != Some(claims.session));
        match outdated {
            Some(epoch) if epoch.is_closed => Verdict::Closed,
            Some(_) => Verdict::Ended,
            None if self.sessions.contains_key(&claims.session) => Verdict::Ended,
            None => Verdict::Good,
        }
    }

    /// Forgets what no living token can belong to.
    pub fn prune(&mut self, now: Timestamp) {
        if self.pruned_at.is_some_and(|last| now < last + PRUNED_EVERY) {
            return;
        }
        let oldest = now - KEPT_FOR;
        self.sessions.retain(|_, at| *at > oldest);
        self.epochs.retain(|_, epoch| epoch.at > oldest);
        self.pruned_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use keynest_domain::Sealed;
    use keynest_domain::user::{PasswordChanged, UserDeactivated};
    use uuid::Uuid;

    use super::*;

    const LAPTOP: SessionId = SessionId::new(Uuid::from_u128(1));
    const PHONE: SessionId = SessionId::new(Uuid::from_u128(2));

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    fn claims(user: i64, session: SessionId, epoch: u32) -> AccessClaims {
        let (username, email, full_name) = (String::new(), String::new(), String::new());
        AccessClaims {
            user: UserId::new(user),
            session,
            epoch,
            username,
            email,
            full_name,
            permissions: vec![],
        }
    }

    fn changed() -> Event {
        let password = Sealed::from_bytes(vec![]);
        PasswordChanged { password, kept: Some(LAPTOP), epoch: 1, at: at(0) }.into()
    }

    #[test]
    fn a_new_password_ends_older_tokens_but_those_of_the_kept_session() {
        let mut revoked = Revoked::default();
        revoked.take("7", &changed(), at(0));
        for (user, session, epoch, verdict) in [
            (7, PHONE, 0, Verdict::Ended),
            (7, LAPTOP, 0, Verdict::Good),
            (7, PHONE, 1, Verdict::Good),
            (8, PHONE, 0, Verdict::Good),
        ] {
            assert_eq!(
                revoked.verdict(&claims(user, session, epoch)),
                verdict,
                "{user} {session} {epoch}"
            );
        }
    }

    #[test]
    fn a_closed_account_is_told_apart() {
        let mut revoked = Revoked::default();
        revoked.take("7", &UserDeactivated { epoch: 1 }.into(), at(0));
        assert_eq!(revoked.verdict(&claims(7, LAPTOP, 0)), Verdict::Closed);
    }

    #[test]
    fn an_end_that_cannot_be_read_ends_everything_it_may_mean() {
        let mut revoked = Revoked::default();
        revoked.take_unreadable(&Session::stream(LAPTOP), at(0));
        revoked.take_unreadable(&User::stream(UserId::new(7)), at(0));
        for (user, session, verdict) in
            [(8, LAPTOP, Verdict::Ended), (8, PHONE, Verdict::Good), (7, PHONE, Verdict::Ended)]
        {
            assert_eq!(revoked.verdict(&claims(user, session, 3)), verdict, "{user} {session}");
        }
    }

    #[test]
    fn an_ended_session_is_remembered_as_long_as_its_tokens_live() {
        let mut revoked = Revoked::default();
        revoked.end(LAPTOP, at(0));
        revoked.prune(at(3_600));
        assert_eq!(revoked.verdict(&claims(7, LAPTOP, 0)), Verdict::Ended);
        revoked.prune(at(3_900));
        assert_eq!(revoked.sessions.len(), 0);
    }

    #[test]
    fn every_event_that_ends_something_is_asked_for() {
        let known: Vec<_> = Event::catalogue().map(|(name, _)| name).collect();
        assert!(ENDS_SESSIONS.iter().all(|name| known.contains(name) && is_ending(name)));
        assert!(is_ending("session.ended"));
        assert!(is_ending(changed().name()) && !is_ending("user.activated"));
    }
}
