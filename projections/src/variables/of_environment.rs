//! The variables of one environment, the query that is asked most: one row, whose lists are the columns of the page. What all
//! variables have in common is sent once, and names once for each creator (docs/decisions/0121-one-row-a-page.md).

use std::collections::HashMap;

use keynest_domain::{EnvironmentId, OrganizationId, ProjectId, Sealed, VariableId};
use keynest_store::Revision;
use time::OffsetDateTime;

use crate::error::QueryError;
use crate::page::{Listed, Page};
use crate::queries::{Queries, count, role};
use crate::reader::Reader;
use crate::variables::VariableRow;

/// A page as the statement answers it; the lists of variables have the same length and order.
struct Stored {
    environment_name: String,
    project_id: i64,
    project_name: String,
    organization_id: i64,
    revision: i64,
    role: String,
    verdict: String,
    total: i64,
    ids: Vec<i64>,
    keys: Vec<String>,
    values: Vec<Vec<u8>>,
    versions: Vec<i32>,
    created: Vec<OffsetDateTime>,
    updated: Vec<OffsetDateTime>,
    creators: Vec<i64>,
    /// Of people and tokens among the creators, and what they are called.
    known: Vec<i64>,
    names: Vec<String>,
}

impl Queries {
    /// It starts at the environment, not at the caller.
    pub(super) async fn variables_of(
        &self,
        reader: Reader,
        environment: EnvironmentId,
        page: Page,
    ) -> Result<Listed<VariableRow>, QueryError> {
        let found = sqlx::query_as!(
            Stored,
            r#"select coalesce(e.name, '') as "environment_name!", p.id as "project_id!",
                   coalesce(p.name, '') as "project_name!", o.id as "organization_id!", o.revision as "revision!",
                   m.role as "role!", verdict as "verdict!",
                   (select count(*) from variables c where c.environment_id = e.id) as "total!",
                   coalesce(v.ids, '{}') as "ids!", coalesce(v.keys, '{}') as "keys!", coalesce(v.values, '{}') as "values!",
                   coalesce(v.versions, '{}') as "versions!", coalesce(v.created, '{}') as "created!",
                   coalesce(v.updated, '{}') as "updated!", coalesce(v.creators, '{}') as "creators!",
                   coalesce(n.ids, '{}') as "known!", coalesce(n.names, '{}') as "names!"
               from environments e
               join projects p on p.id = e.project_id
               join organizations o on o.id = p.organization_id
               join memberships m on m.organization_id = o.id and m.user_id = $1
               cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $8::text::jsonb) verdict
               cross join lateral (
                   select array_agg(v.id) as ids, array_agg(v.key) as keys, array_agg(v.value) as values,
                       array_agg(v.version) as versions, array_agg(v.created_at) as created,
                       array_agg(v.updated_at) as updated, array_agg(v.creator_id) as creators
                   from (select * from variables v where v.environment_id = e.id order by v.key limit $3 offset $4) v) v
               cross join lateral (
                   select array_agg(c.id) as ids, array_agg(c.name) as names
                   from (select t.id, t.name from tokens t where t.id = any(v.creators)
                         union all
                         select u.id, u.full_name from users u where u.id = any(v.creators)) c(id, name)
                   where c.name is not null) n
               where e.id = $2 and verdict in ('let_in', 'would_refuse')
                   and ($5::bigint[] is null or o.id = any($5) or p.id = any($6) or e.id = any($7))
               order by e.id limit 1"#,
            reader.user().get(),
            environment.get(),
            i64::from(page.size),
            page.before(),
            reader.whole_organizations(),
            reader.whole_projects(),
            reader.environments(),
            reader.who()
        )
        .fetch_optional(self.read())
        .await?;
        match found {
            None => Ok(Listed { total: 0, items: Vec::new() }),
            Some(stored) => stored.listed(&reader, environment),
        }
    }
}

impl Stored {
    fn listed(
        self,
        reader: &Reader,
        environment: EnvironmentId,
    ) -> Result<Listed<VariableRow>, QueryError> {
        let organization = OrganizationId::new(self.organization_id);
        reader.admit(organization, &self.verdict)?;
        let role = role(&self.role)?;
        let names: HashMap<i64, String> = self.known.into_iter().zip(self.names).collect();
        let times = self.created.into_iter().zip(self.updated);
        let sealed = self.values.into_iter().zip(self.versions);
        let variables = self.ids.into_iter().zip(self.keys).zip(sealed).zip(times);
        let items = variables.zip(self.creators).map(
            |((((id, key), (value, version)), (created_at, updated_at)), creator)| VariableRow {
                id: VariableId::new(id),
                key,
                value: Sealed::from_bytes(value),
                version: count(i64::from(version)),
                environment,
                environment_name: self.environment_name.clone(),
                project: ProjectId::new(self.project_id),
                project_name: self.project_name.clone(),
                organization,
                organization_revision: Revision::new(count(self.revision)),
                role,
                created_at: created_at.into(),
                updated_at: updated_at.into(),
                created_by_name: names.get(&creator).cloned().unwrap_or_default(),
            },
        );
        let items = items.collect();
        Ok(Listed { total: u64::try_from(self.total).unwrap_or(0), items })
    }
}
