//! The auditor: every event of the log is one row, named as CONTRACT 4.8 names it, with what people
//! call the things that it is about.

mod access;
pub(crate) mod client;
mod entry;
mod environment;
mod facts;
mod federation;
mod feed;
mod feed_places;
mod forget;
mod key;
mod limits;
mod organization;
mod project;
mod provider;
mod query;
mod session;
mod token;
mod user;
mod write;

use async_trait::async_trait;
use keynest_crypto::Keyring;
use keynest_domain::Event;
use keynest_domain::key::KeyDestroyed;
use sqlx::PgConnection;

pub use feed::FeedPart;
pub use feed_places::FeedPlace;
pub use query::{AUDIT_ROWS_MAX, AuditFilter, AuditRow};

use crate::error::ApplyError;
use crate::projection::{Applied, Categories, Projection};
use entry::Entry;
use facts::Facts;

/// The projection `audit_log`. What a row needs to know from earlier events is kept in a table of
/// its own, so that it can be replayed without any other read model.
pub struct AuditLog;

#[async_trait]
impl Projection for AuditLog {
    fn name(&self) -> &'static str {
        crate::names::AUDIT_LOG
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_log", "audit_facts", "audit_openings"]
    }

    fn version(&self) -> i32 {
        2
    }

    fn categories(&self) -> Categories {
        Categories::All
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        let mut facts = Facts::load(events.iter().flat_map(entry::mentioned), rows).await?;
        let mut written = Vec::with_capacity(events.len());
        for applied in events {
            let entry = describe(applied, &mut facts, keyring).await?;
            let client = client::open(&applied.recorded, keyring).await?;
            written.push((applied, entry, client));
        }
        facts.store(rows).await?;
        write::rows(&written, rows).await
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        forget::forget(key, rows).await
    }
}

async fn describe(
    applied: &Applied,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    match &applied.event {
        Event::User(event) => user::describe(applied, event, facts, keyring).await,
        Event::Session(event) => Ok(session::describe(applied, event, facts)),
        Event::Login(event) => Ok(session::describe_login(event)),
        Event::Federation(event) => Ok(federation::describe(applied, event)),
        Event::Challenge(event) => Ok(session::describe_challenge(event)),
        Event::Organization(event) => organization::describe(applied, event, facts, keyring).await,
        Event::Project(event) => project::describe(applied, event, facts, keyring).await,
        Event::Environment(event) => environment::describe(applied, event, facts, keyring).await,
        Event::Access(event) => Ok(access::describe(event, facts)),
        Event::Limits(event) => Ok(limits::describe(event)),
        Event::Provider(event) => Ok(provider::describe(event)),
        Event::Refusals(event) => Ok(access::describe_refusal(applied, event)),
        Event::Key(event) => Ok(key::describe(event)),
        Event::Exchange(event) => token::exchanged(applied, event, keyring).await,
    }
}
