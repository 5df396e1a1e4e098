//! `disintegrate` over `disintegrate-postgres`: a serializable transaction per event that asks whether something new came
//! under its query. Two that are serialised against each other fail and are tried again, as its decision maker does.

use disintegrate::{
    DomainIdInfo, DomainIdSet, Event, EventInfo, EventSchema, EventStore, IdentifierType,
    domain_ids, ident, query,
};
use disintegrate_postgres::{Error, PgEventStore};
use disintegrate_serde::serde::json::Json;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::load::Caller;
use crate::text;

/// Before Postgres 16 its own schema fails at a literal (`0xFFFFFFFF`): the rest of it, with the number in decimal.
const REST: &str = "create or replace function event_store_begin_epoch() returns void as $$
    declare id bigint; db_id int;
    begin
        select last_value into id from seq_event_event_id;
        select oid into db_id from pg_database where datname = current_database();
        perform pg_try_advisory_xact_lock_shared(db_id, 0);
        perform pg_try_advisory_xact_lock_shared(1, (id & 4294967295)::bit(32)::integer);
        perform pg_try_advisory_xact_lock_shared(2, (id >> 32)::bit(32)::integer);
    end;
    $$ language plpgsql;
    alter table event add column if not exists thing text;
    create index if not exists idx_event_thing on event (thing) where thing is not null;";

const ATTEMPTS_MAX: usize = 50;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Happened {
    Happened { thing: String, text: String },
}

impl Event for Happened {
    const SCHEMA: EventSchema = EventSchema {
        events: &["Happened"],
        events_info: &[&EventInfo { name: "Happened", domain_ids: &[&ident!(#thing)] }],
        domain_ids: &[&DomainIdInfo { ident: ident!(#thing), type_info: IdentifierType::String }],
    };

    fn name(&self) -> &'static str {
        "Happened"
    }

    fn domain_ids(&self) -> DomainIdSet {
        let Self::Happened { thing, .. } = self;
        domain_ids! { thing: thing }
    }
}

/// One stream and the last event that it knows of.
pub struct Client {
    store: PgEventStore<Happened, Json<Happened>>,
    thing: String,
    known: i64,
}

pub async fn clients(pool: &PgPool, count: u32) -> anyhow::Result<Vec<Client>> {
    if PgEventStore::<Happened, _>::try_new(pool.clone(), Json::<Happened>::default())
        .await
        .is_err()
    {
        sqlx::raw_sql(REST).execute(pool).await?;
    }
    let store = PgEventStore::new_uninitialized(pool.clone(), Json::default());
    let client = |n| Client { store: store.clone(), thing: format!("{count}-{n}"), known: 0 };
    Ok((0..count).map(client).collect())
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        for _ in 0..ATTEMPTS_MAX {
            let thing = self.thing.clone();
            let query = query!(Happened; thing == thing.clone());
            let event = Happened::Happened { thing, text: text() };
            match self.store.append(vec![event], query, self.known).await {
                Ok(appended) => {
                    self.known = appended.last().map_or(self.known, |event| event.id());
                    return Ok(true);
                }
                Err(Error::Concurrency) => {}
                Err(Error::Database(error)) if is_serialization(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::bail!("{ATTEMPTS_MAX} attempts were serialised against others")
    }
}

fn is_serialization(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|it| it.code()).is_some_and(|code| code == "40001")
}
