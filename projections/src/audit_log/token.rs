//! Tokens, services and exchanges in the audit log. Their texts are nowhere; their scope is no secret.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::exchange::{Event, TokenExchanged};
use keynest_domain::organization::{ServiceTokenCreated, TrustCreated};
use keynest_domain::user::TokenCreated;
use keynest_domain::{OrganizationId, Timestamp, TokenScope, UserId};
use serde_json::{Value, json};

use super::entry::Entry;
use crate::error::ApplyError;
use crate::projection::Applied;

pub(super) async fn personal(
    applied: &Applied,
    it: &TokenCreated,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let user = UserId::new(applied.stream_number()?);
    let subject = Subject::User(user);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let details = about(name, &it.scope, Some(it.expires_at), it.ranges.is_some());
    let entry = Entry::new("token_create", "token", it.token, details);
    Ok(entry.by_owner(Some(user)).opened("name", Some(subject)))
}

pub(super) async fn service(
    applied: &Applied,
    it: &ServiceTokenCreated,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let subject = Subject::Organization(OrganizationId::new(applied.stream_number()?));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let mut details = about(name, &it.scope, Some(it.expires_at), it.ranges.is_some());
    details["role"] = json!(it.role);
    Ok(Entry::new("token_create", "service_token", it.token, details))
}

pub(super) async fn trust(
    applied: &Applied,
    it: &TrustCreated,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let subject = Subject::Organization(OrganizationId::new(applied.stream_number()?));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let mut details = about(name, &it.scope, None, false);
    details["role"] = json!(it.role);
    details["issuer"] = json!(it.issuer);
    details["lifetime_minutes"] = json!(it.lifetime_minutes);
    Ok(Entry::new("trust_create", "trust", it.trust, details))
}

pub(super) async fn exchanged(
    applied: &Applied,
    event: &Event,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let Event::TokenExchanged(it) = event;
    let TokenExchanged { organization, trust, subject, expires_at, .. } = it;
    let of = Subject::Organization(*organization);
    let identity = applied.open(keyring, of, "subject", subject).await?;
    let details = json!({"identity": identity, "expires_at": expires_at.iso()});
    let entry = Entry::new("token_exchange", "trust", trust, details);
    let actor = Some(UserId::new(trust.get()));
    Ok(Entry { actor, ..entry.within(Some(*organization)) })
}

fn about(
    name: Option<String>,
    scope: &TokenScope,
    expires_at: Option<Timestamp>,
    is_bound: bool,
) -> Value {
    json!({"name": name, "access": scope.access, "reach": scope.reach,
        "expires_at": expires_at.map(Timestamp::iso), "bound_to_networks": is_bound})
}
