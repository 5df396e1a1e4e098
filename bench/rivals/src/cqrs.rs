//! `cqrs-es` over `postgres-es`: one transaction and one insert per event; the primary key checks the version.

use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;

use crate::load::Caller;
use crate::text;

/// The table of its README.
const TABLE: &str = "create table if not exists public.events (aggregate_type text not null, aggregate_id text not null, \
     sequence bigint check (sequence >= 0) not null, event_type text not null, event_version text not null, \
     payload json not null, metadata json not null, primary key (aggregate_type, aggregate_id, sequence))";

/// One stream and the version it has.
pub struct Client {
    repository: Arc<PostgresEventRepository>,
    id: String,
    sequence: usize,
}

#[derive(Default, Serialize, Deserialize)]
struct Thing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Happened;

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "Happened".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Thing {
    const TYPE: &'static str = "thing";
    type Command = ();
    type Event = Happened;
    type Error = Never;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Never> {
        Ok(())
    }

    fn apply(&mut self, _: Happened) {}
}

pub async fn clients(pool: &PgPool, count: u32) -> anyhow::Result<Vec<Client>> {
    sqlx::query(TABLE).execute(pool).await?;
    let repository = Arc::new(PostgresEventRepository::new(pool.clone()));
    let client = |n| {
        let (repository, id) = (Arc::clone(&repository), format!("{count}-{n}"));
        Client { repository, id, sequence: 0 }
    };
    Ok((0..count).map(client).collect())
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        self.sequence += 1;
        let event = SerializedEvent::new(
            self.id.clone(),
            self.sequence,
            Thing::TYPE.to_owned(),
            "Happened".to_owned(),
            "1".to_owned(),
            json!({ "text": text() }),
            json!({}),
        );
        self.repository.persist::<Thing>(&[event], None).await?;
        Ok(true)
    }
}
