//! Tokens that ended in the last hour. The read model knows them all, but a moment later than the feed.

use std::collections::HashMap;

use keynest_domain::organization::Organization;
use keynest_domain::user::{ENDS_TOKENS, User};
use keynest_domain::{
    Aggregate, Event, Lifetime, OrganizationId, StreamName, Timestamp, TokenId, UserId,
    organization, user,
};
use keynest_projections::TokenStanding;

/// Longer than the read model is ever behind without being noticed.
const KEPT_FOR: Lifetime = Lifetime::from_hours(24);
/// Between two looks for what is too old.
const PRUNED_EVERY: Lifetime = Lifetime::from_minutes(1);

/// Stored names of the events that end one token.
const NAMES: [&str; 3] =
    ["user.token_revoked", "organization.service_token_revoked", "organization.trust_removed"];

/// What ended tokens, and when.
#[derive(Debug, Default)]
pub struct EndedTokens {
    tokens: HashMap<TokenId, Timestamp>,
    /// Accounts whose tokens of before ended all at once.
    owners: HashMap<UserId, Timestamp>,
    /// Organizations of which something ended that this version cannot read.
    organizations: HashMap<OrganizationId, Timestamp>,
    pruned_at: Option<Timestamp>,
}

/// Whether an event of this name can end a token.
pub fn is_ending(name: &str) -> bool {
    NAMES.contains(&name) || ENDS_TOKENS.contains(&name)
}

impl EndedTokens {
    /// Notes what an event of a stream ended.
    pub fn take(&mut self, stream_id: &str, event: &Event, at: Timestamp) {
        if let Event::Organization(organization::Event::ServiceTokenRevoked(it)) = event {
            self.tokens.insert(it.token, at);
        } else if let Event::Organization(organization::Event::TrustRemoved(it)) = event {
            self.tokens.insert(it.trust, at);
        } else if let Event::User(user::Event::TokenRevoked(it)) = event {
            self.tokens.insert(it.token, at);
        } else if let (Event::User(event), Ok(owner)) = (event, stream_id.parse())
            && event.ends().is_some_and(|ends| ends.tokens)
        {
            self.owners.insert(owner, at);
        }
    }

    /// Notes that an event of a stream ended a token that this version cannot tell: all that there were.
    pub fn take_unreadable(&mut self, stream: &StreamName, at: Timestamp) {
        if stream.category() == User::CATEGORY
            && let Ok(owner) = stream.id().parse()
        {
            self.owners.insert(owner, at);
        } else if stream.category() == Organization::CATEGORY
            && let Ok(organization) = stream.id().parse()
        {
            self.organizations.insert(organization, at);
        }
    }

    /// Whether a token is known to have ended.
    pub fn has(&self, token: &TokenStanding) -> bool {
        let owner = self.owners.get(&token.actor);
        let organization = token.organization.and_then(|it| self.organizations.get(&it));
        let is_before = |at: Option<&Timestamp>| at.is_some_and(|at| token.created_at <= *at);
        self.tokens.contains_key(&token.id) || is_before(owner) || is_before(organization)
    }

    /// Forgets what every read model knows by now.
    pub fn prune(&mut self, now: Timestamp) {
        if self.pruned_at.is_some_and(|last| now < last + PRUNED_EVERY) {
            return;
        }
        let oldest = now - KEPT_FOR;
        self.tokens.retain(|_, at| *at > oldest);
        self.owners.retain(|_, at| *at > oldest);
        self.organizations.retain(|_, at| *at > oldest);
        self.pruned_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use keynest_domain::user::{TokenRevoked, UserDeactivated};
    use keynest_domain::{Reach, TokenAccess, TokenScope};

    use super::*;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    fn token(id: i64, actor: i64, made: u32) -> TokenStanding {
        TokenStanding {
            id: TokenId::new(id),
            actor: UserId::new(actor),
            organization: None,
            scope: TokenScope { access: TokenAccess::Read, reach: Reach::Everywhere },
            ranges: None,
            created_at: at(made),
            expires_at: None,
            is_ended: false,
            is_owner_active: true,
        }
    }

    #[test]
    fn one_token_ends_alone_and_an_account_ends_all_that_it_had() {
        let mut ended = EndedTokens::default();
        ended.take("7", &TokenRevoked { token: TokenId::new(1) }.into(), at(5));
        assert_eq!([1, 2].map(|id| ended.has(&token(id, 7, 1))), [true, false]);
        ended.take("7", &UserDeactivated { epoch: 1 }.into(), at(9));
        assert_eq!([9, 10].map(|made| ended.has(&token(3, 7, made))), [true, false]);
        assert!(!ended.has(&token(4, 8, 1)), "another account");
        ended.prune(at(9) + KEPT_FOR);
        assert!(!ended.has(&token(1, 7, 1)));
    }

    #[test]
    fn an_end_that_cannot_be_read_ends_every_token_it_may_mean() {
        let mut ended = EndedTokens::default();
        let service = |id, made| TokenStanding {
            organization: Some(OrganizationId::new(id)),
            ..token(1, 8, made)
        };
        ended.take_unreadable(&User::stream(UserId::new(7)), at(5));
        ended.take_unreadable(&Organization::stream(OrganizationId::new(3)), at(5));
        assert_eq!([7, 8].map(|actor| ended.has(&token(1, actor, 1))), [true, false]);
        assert_eq!([3, 4].map(|id| ended.has(&service(id, 1))), [true, false]);
        assert!(!ended.has(&service(3, 6)), "made after it");
    }

    #[test]
    fn every_event_that_ends_tokens_is_asked_for() {
        let known: Vec<_> = Event::catalogue().map(|(name, _)| name).collect();
        assert!(NAMES.iter().chain(&ENDS_TOKENS).all(|name| known.contains(name)));
    }
}
