//! Events to rows, many at a time: an import of a thousand keys is a handful of statements.

use async_trait::async_trait;
use keynest_crypto::Keyring;
use keynest_domain::environment::{self, VariableChanged, VariableCreated};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::{Event, VariableId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::error::{ApplyError, all_rows, one_row};
use crate::projection::{Applied, Categories, Projection};

/// The projection `variables`.
pub struct Variables;

/// Values that are waiting for one statement each for new keys, changed values and history.
#[derive(Default)]
struct Waiting<'a> {
    created: Vec<(&'a Applied, &'a VariableCreated)>,
    changed: Vec<(&'a Applied, &'a VariableChanged)>,
}

#[async_trait]
impl Projection for Variables {
    fn name(&self) -> &'static str {
        crate::names::VARIABLES
    }

    fn tables(&self) -> &'static [&'static str] {
        &["variables", "variable_versions"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["environment"])
    }

    fn wants(&self, event: &str) -> bool {
        matches!(
            event,
            "environment.variable_created"
                | "environment.variable_changed"
                | "environment.variable_renamed"
                | "environment.variable_deleted"
                | "environment.deleted"
        )
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        _: &Keyring,
    ) -> Result<(), ApplyError> {
        let mut waiting = Waiting::default();
        for applied in events {
            let Event::Environment(event) = &applied.event else { continue };
            match event {
                environment::Event::VariableCreated(it) => waiting.created.push((applied, it)),
                environment::Event::VariableChanged(it) => waiting.changed.push((applied, it)),
                environment::Event::VariableRenamed(it) => {
                    std::mem::take(&mut waiting).write(rows).await?;
                    rename(applied, it.variable, it.to.as_str(), rows).await?;
                }
                environment::Event::VariableDeleted(it) => {
                    std::mem::take(&mut waiting).write(rows).await?;
                    delete(it.variable, rows).await?;
                }
                environment::Event::EnvironmentDeleted(_) => {
                    std::mem::take(&mut waiting).write(rows).await?;
                    delete_all(applied.stream_number()?, rows).await?;
                }
                environment::Event::EnvironmentCreated(_)
                | environment::Event::EnvironmentUpdated(_)
                | environment::Event::VariablesImported(_) => {}
            }
        }
        waiting.write(rows).await
    }

    /// Values stay sealed here.
    async fn forget(&self, _: &KeyDestroyed, _: &mut PgConnection) -> Result<(), ApplyError> {
        Ok(())
    }
}

impl Waiting<'_> {
    async fn write(self, rows: &mut PgConnection) -> Result<(), ApplyError> {
        write_created(&self.created, rows).await?;
        write_changed(&self.changed, rows).await
    }
}

async fn write_created(
    created: &[(&Applied, &VariableCreated)],
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    if created.is_empty() {
        return Ok(());
    }
    let mut environments: Vec<i64> = Vec::with_capacity(created.len());
    for (applied, _) in created {
        environments.push(applied.stream_number()?);
    }
    let ids: Vec<i64> = created.iter().map(|(_, it)| it.variable.get()).collect();
    let keys: Vec<String> = created.iter().map(|(_, it)| it.key.as_str().to_owned()).collect();
    let values: Vec<Vec<u8>> = created.iter().map(|(_, it)| it.value.as_bytes().to_vec()).collect();
    let creators: Vec<i64> = created.iter().map(|(_, it)| it.creator.get()).collect();
    let times: Vec<OffsetDateTime> = created.iter().map(|(applied, _)| applied.at()).collect();
    sqlx::query!(
        "with created as (
             select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $6::timestamptz[])
                 as c(id, environment_id, key, value, creator_id, at)),
         history as (
             insert into variable_versions (variable_id, version, value, creator_id, created_at)
             select id, 1, value, creator_id, at from created)
         insert into variables (id, environment_id, key, value, version, creator_id, created_at, updated_at)
         select id, environment_id, key, value, 1, creator_id, at, at from created",
        &ids,
        &environments,
        &keys,
        &values,
        &creators,
        &times
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// Of several changes of one variable only the last one is the value; all of them are history.
async fn write_changed(
    changed: &[(&Applied, &VariableChanged)],
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut versions: Vec<i32> = Vec::with_capacity(changed.len());
    for (_, it) in changed {
        let version = i32::try_from(it.version);
        versions.push(version.map_err(|_| ApplyError::failing("a version is above 2^31"))?);
    }
    let ids: Vec<i64> = changed.iter().map(|(_, it)| it.variable.get()).collect();
    let values: Vec<Vec<u8>> = changed.iter().map(|(_, it)| it.value.as_bytes().to_vec()).collect();
    let actors: Vec<Option<i64>> =
        changed.iter().map(|(applied, _)| Some(applied.recorded.metadata.actor?.get())).collect();
    let times: Vec<OffsetDateTime> = changed.iter().map(|(applied, _)| applied.at()).collect();
    let done = sqlx::query!(
        "with changed as (
             select * from unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bigint[], $5::timestamptz[])
                 as c(id, version, value, actor_id, at)),
         history as (
             insert into variable_versions (variable_id, version, value, creator_id, created_at)
             select id, version, value, actor_id, at from changed),
         latest as (select distinct on (id) id, version, value, at from changed order by id, version desc)
         update variables v set value = l.value, version = l.version, updated_at = l.at
         from latest l where v.id = l.id",
        &ids,
        &versions,
        &values,
        &actors as &[Option<i64>],
        &times
    )
    .execute(rows)
    .await?;
    let distinct: std::collections::BTreeSet<&i64> = ids.iter().collect();
    all_rows(&done, distinct.len(), "variable")
}

async fn rename(
    applied: &Applied,
    variable: VariableId,
    key: &str,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "update variables set key = $2, updated_at = $3 where id = $1",
        variable.get(),
        key,
        applied.at()
    )
    .execute(rows)
    .await?;
    one_row(&done, "variable")
}

async fn delete(variable: VariableId, rows: &mut PgConnection) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "with history as (delete from variable_versions where variable_id = $1)
         delete from variables where id = $1",
        variable.get()
    )
    .execute(rows)
    .await?;
    one_row(&done, "variable")
}

async fn delete_all(environment: i64, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!(
        "with gone as (delete from variables where environment_id = $1 returning id)
         delete from variable_versions h using gone where h.variable_id = gone.id",
        environment
    )
    .execute(rows)
    .await?;
    Ok(())
}
