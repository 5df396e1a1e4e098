//! A batch of entries as one statement.

use keynest_domain::{EventId, KeyId, OrganizationId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::client::{self, Client};
use super::entry::Entry;
use crate::checkpoint::stored;
use crate::error::ApplyError;
use crate::projection::Applied;

/// The columns of the statement.
#[derive(Default)]
struct Columns {
    positions: Vec<i64>,
    ids: Vec<i64>,
    organizations: Vec<Option<i64>>,
    actors: Vec<Option<i64>>,
    accounts: Vec<Option<i64>>,
    actions: Vec<String>,
    target_types: Vec<String>,
    target_ids: Vec<String>,
    details: Vec<String>,
    outcomes: Vec<String>,
    addresses: Vec<Option<String>>,
    agents: Vec<Option<String>>,
    requests: Vec<Option<Uuid>>,
    times: Vec<OffsetDateTime>,
    day_keys: Vec<Option<Uuid>>,
}

/// Where something stands that is nulled when a key is destroyed.
#[derive(Default)]
struct Openings {
    subjects: Vec<String>,
    positions: Vec<i64>,
    fields: Vec<String>,
}

/// What callers know a row by: 53 bits of the event's id, which is a hash. Positions are unique too,
/// but tell how busy everybody else is.
pub(crate) fn public_id(event: EventId) -> i64 {
    let low = event.get().as_u128() & u128::from((1_u64 << 53) - 1);
    i64::try_from(low).expect("53 bits are below 2^63")
}

pub(crate) async fn rows(
    written: &[(&Applied, Entry, Client)],
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let (mut columns, mut openings) = (Columns::default(), Openings::default());
    for (applied, entry, client) in written {
        columns.push(applied, entry, client);
        openings.push(applied, entry);
    }
    columns.insert(rows).await?;
    openings.insert(rows).await
}

impl Openings {
    fn push(&mut self, applied: &Applied, entry: &Entry) {
        for (subject, field) in &entry.openings {
            self.subjects.push(subject.to_string());
            self.positions.push(stored(applied.recorded.position));
            self.fields.push((*field).to_owned());
        }
    }

    async fn insert(self, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if self.subjects.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into audit_openings (subject, position, field)
             select * from unnest($1::text[], $2::bigint[], $3::text[])",
            &self.subjects,
            &self.positions,
            &self.fields
        )
        .execute(rows)
        .await?;
        Ok(())
    }
}

impl Columns {
    fn push(&mut self, applied: &Applied, entry: &Entry, client: &Client) {
        let recorded = &applied.recorded;
        let actor = recorded.metadata.actor.or(entry.actor);
        self.positions.push(stored(recorded.position));
        self.ids.push(public_id(recorded.event_id));
        self.organizations.push(entry.organization.map(OrganizationId::get));
        self.actors.push(actor.map(UserId::get));
        self.accounts.push(entry.account.map(UserId::get));
        self.actions.push(entry.action.to_owned());
        self.target_types.push(entry.target_type.to_owned());
        self.target_ids.push(entry.target_id.clone());
        self.details.push(details(entry, client));
        self.outcomes.push(entry.outcome.to_owned());
        self.addresses.push(client.address.clone());
        self.agents.push(client.agent.clone());
        self.requests.push(recorded.metadata.request.map(|request| request.get()));
        self.times.push(applied.at());
        self.day_keys.push(client::day_key(recorded).map(KeyId::get));
    }

    async fn insert(self, rows: &mut PgConnection) -> Result<(), ApplyError> {
        sqlx::query!(
            "insert into audit_log (position, id, organization_id, actor_id, account_id, action, target_type,
                 target_id, details, outcome, ip_address, agent, request_id, recorded_at, day_key)
             select position, id, organization_id, actor_id, account_id, action, target_type,
                 target_id, details::jsonb, outcome, ip_address, agent, request_id, recorded_at, day_key
             from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
                 $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::timestamptz[], $15::uuid[])
                 as e(position, id, organization_id, actor_id, account_id, action, target_type,
                     target_id, details, outcome, ip_address, agent, request_id, recorded_at, day_key)",
            &self.positions,
            &self.ids,
            &self.organizations as &[Option<i64>],
            &self.actors as &[Option<i64>],
            &self.accounts as &[Option<i64>],
            &self.actions,
            &self.target_types,
            &self.target_ids,
            &self.details,
            &self.outcomes,
            &self.addresses as &[Option<String>],
            &self.agents as &[Option<String>],
            &self.requests as &[Option<Uuid>],
            &self.times,
            &self.day_keys as &[Option<Uuid>]
        )
        .execute(rows)
        .await?;
        Ok(())
    }
}

/// What the entry says, and the token that it was done with.
fn details(entry: &Entry, client: &Client) -> String {
    let mut details = entry.details.clone();
    if let (Some(token), Some(members)) = (client.token, details.as_object_mut()) {
        members.insert("token".to_owned(), token.get().into());
    }
    details.to_string()
}
