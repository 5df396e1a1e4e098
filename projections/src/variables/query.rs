//! Variables of the caller's teams: rows, role and the team's revision in one statement.

use keynest_domain::{EnvironmentId, OrganizationId, ProjectId, Sealed, VariableId};
use keynest_store::Revision;
use time::OffsetDateTime;

use crate::error::QueryError;
use crate::page::{Listed, Page};
use crate::queries::{Queries, count, role};
use crate::reader::Reader;
use crate::variables::VariableRow;

/// A row as both statements answer it.
struct Stored {
    id: i64,
    key: String,
    value: Vec<u8>,
    version: i32,
    environment_id: i64,
    environment_name: String,
    project_id: i64,
    project_name: String,
    organization_id: i64,
    revision: i64,
    role: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    created_by_name: String,
    verdict: String,
    n: i64,
    total: i64,
}

impl Queries {
    /// A variable in a team of the caller; `None` for everybody else's. It starts at the variable, so that one plan is good
    /// for everybody and is made once.
    pub async fn variable(
        &self,
        reader: impl Into<Reader>,
        id: VariableId,
    ) -> Result<Option<VariableRow>, QueryError> {
        let reader = reader.into();
        let row = sqlx::query_as!(
            Stored,
            r#"select v.id as "id!", v.key as "key!", v.value as "value!", v.version as "version!",
                   e.id as "environment_id!", coalesce(e.name, '') as "environment_name!",
                   p.id as "project_id!", coalesce(p.name, '') as "project_name!",
                   o.id as "organization_id!", o.revision as "revision!", m.role as "role!",
                   v.created_at as "created_at!", v.updated_at as "updated_at!",
                   coalesce(u.full_name, (select t.name from tokens t where t.id = v.creator_id), '') as "created_by_name!",
                   1::bigint as "n!", 1::bigint as "total!", verdict as "verdict!"
               from variables v
               join environments e on e.id = v.environment_id
               join projects p on p.id = e.project_id
               join organizations o on o.id = p.organization_id
               join memberships m on m.organization_id = o.id and m.user_id = $1
               cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $6::text::jsonb) verdict
               left join users u on u.id = v.creator_id
               where v.id = $2 and ($3::bigint[] is null or o.id = any($3) or p.id = any($4) or e.id = any($5))
               order by v.id limit 1"#,
            reader.user().get(),
            id.get(),
            reader.whole_organizations(),
            reader.whole_projects(),
            reader.environments(),
            reader.who()
        )
        .fetch_optional(self.read())
        .await?;
        row.map(|row| read(&reader, row)).transpose()
    }

    /// The variables of all of the caller's environments or of one of them, by key.
    pub async fn list_variables(
        &self,
        reader: impl Into<Reader>,
        environment: Option<EnvironmentId>,
        page: Page,
    ) -> Result<Listed<VariableRow>, QueryError> {
        match environment {
            None => self.variables(reader.into(), page).await,
            Some(environment) => self.variables_of(reader.into(), environment, page).await,
        }
    }

    async fn variables(
        &self,
        reader: Reader,
        page: Page,
    ) -> Result<Listed<VariableRow>, QueryError> {
        let rows = sqlx::query_as!(
            Stored,
            r#"select v.id as "id!", v.key as "key!", v.value as "value!", v.version as "version!",
                   v.environment_id as "environment_id!", coalesce(v.environment_name, '') as "environment_name!",
                   v.project_id as "project_id!", coalesce(v.project_name, '') as "project_name!",
                   v.organization_id as "organization_id!", v.revision as "revision!", v.role as "role!",
                   v.created_at as "created_at!", v.updated_at as "updated_at!",
                   coalesce(u.full_name, (select t.name from tokens t where t.id = v.creator_id), '') as "created_by_name!", v.n as "n!", v.total as "total!", v.verdict as "verdict!"
               from (select v.*, e.name as environment_name, p.id as project_id, p.name as project_name,
                         o.id as organization_id, o.revision, m.role, verdict,
                         row_number() over (order by v.key, v.id) as n, count(*) over () as total
                     from memberships m
                     join organizations o on o.id = m.organization_id
                     join projects p on p.organization_id = m.organization_id
                     join environments e on e.project_id = p.id
                     join variables v on v.environment_id = e.id
                     cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $7::text::jsonb) verdict
                     where m.user_id = $1 and verdict in ('let_in', 'would_refuse')
                         and ($4::bigint[] is null or o.id = any($4) or p.id = any($5) or e.id = any($6))) v
               left join users u on u.id = v.creator_id
               where v.n = 1 or (v.n > $2 and v.n <= $3)
               order by v.n limit 1001"#,
            reader.user().get(),
            page.before(),
            page.until(),
            reader.whole_organizations(),
            reader.whole_projects(),
            reader.environments(),
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(rows, page, |row| (row.n, row.total), |row| read(&reader, row))
    }
}

fn read(reader: &Reader, row: Stored) -> Result<VariableRow, QueryError> {
    reader.admit(OrganizationId::new(row.organization_id), &row.verdict)?;
    Ok(VariableRow {
        id: VariableId::new(row.id),
        key: row.key,
        value: Sealed::from_bytes(row.value),
        version: count(i64::from(row.version)),
        environment: EnvironmentId::new(row.environment_id),
        environment_name: row.environment_name,
        project: ProjectId::new(row.project_id),
        project_name: row.project_name,
        organization: OrganizationId::new(row.organization_id),
        organization_revision: Revision::new(count(row.revision)),
        role: role(&row.role)?,
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        created_by_name: row.created_by_name,
    })
}
