//! Living environments.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::environment::{self, EnvironmentCreated, EnvironmentUpdated};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::{
    EnvironmentId, EnvironmentType, Event, OrganizationId, ProjectId, Role, Timestamp,
};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, one_row};
use crate::page::{Listed, Page};
use crate::projection::{Applied, Categories, Projection};
use crate::queries::{Queries, count, role};
use crate::reader::Reader;

/// An environment as a member of its team sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EnvironmentRow {
    pub id: EnvironmentId,
    pub name: String,
    pub project: ProjectId,
    pub project_name: String,
    pub organization: OrganizationId,
    pub environment_type: EnvironmentType,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by_name: String,
    pub variable_count: u32,
    /// The caller's.
    pub role: Role,
}

/// The projection `environments`.
pub struct Environments;

#[async_trait]
impl Projection for Environments {
    fn name(&self) -> &'static str {
        crate::names::ENVIRONMENTS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["environments"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["environment"])
    }

    fn wants(&self, event: &str) -> bool {
        matches!(event, "environment.created" | "environment.updated" | "environment.deleted")
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            let Event::Environment(event) = &applied.event else { continue };
            match event {
                environment::Event::EnvironmentCreated(it) => {
                    create(applied, it, rows, keyring).await?;
                }
                environment::Event::EnvironmentUpdated(it) => {
                    update(applied, it, rows, keyring).await?;
                }
                environment::Event::EnvironmentDeleted(_) => {
                    let id = applied.stream_number()?;
                    let done = sqlx::query!("delete from environments where id = $1", id);
                    one_row(&done.execute(&mut *rows).await?, "environment")?;
                }
                environment::Event::VariableCreated(_)
                | environment::Event::VariableChanged(_)
                | environment::Event::VariableRenamed(_)
                | environment::Event::VariableDeleted(_)
                | environment::Event::VariablesImported(_) => {}
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::Organization(organization) = key.subject {
            sqlx::query!(
                "update environments set name = null, description = null where organization_id = $1",
                organization.get()
            )
            .execute(rows)
            .await?;
        }
        Ok(())
    }
}

async fn create(
    applied: &Applied,
    it: &EnvironmentCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::Organization(it.organization);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "insert into environments (id, project_id, organization_id, name, environment_type, description,
             creator_id, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        it.environment.get(),
        it.project.get(),
        it.organization.get(),
        name,
        it.environment_type.name(),
        description,
        it.creator.get(),
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// The event does not repeat whose key the names are under; the row knows the team.
async fn update(
    applied: &Applied,
    it: &EnvironmentUpdated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let id = applied.stream_number()?;
    let organization =
        sqlx::query_scalar!("select organization_id from environments where id = $1 limit 1", id)
            .fetch_optional(&mut *rows)
            .await?
            .ok_or_else(|| ApplyError::failing("there is no row of this environment"))?;
    let subject = Subject::Organization(OrganizationId::new(organization));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "update environments set name = $2, environment_type = $3, description = $4, updated_at = $5
         where id = $1",
        id,
        name,
        it.environment_type.name(),
        description,
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

impl Queries {
    /// An environment in a team of the caller; `None` for everybody else's.
    pub async fn environment(
        &self,
        reader: impl Into<Reader>,
        id: EnvironmentId,
    ) -> Result<Option<EnvironmentRow>, QueryError> {
        Ok(self.environments(reader.into(), None, Some(id), Page::SINGLE).await?.single())
    }

    /// The environments of all of the caller's projects or of one of them, oldest first.
    pub async fn list_environments(
        &self,
        reader: impl Into<Reader>,
        project: Option<ProjectId>,
        page: Page,
    ) -> Result<Listed<EnvironmentRow>, QueryError> {
        self.environments(reader.into(), project, None, page).await
    }

    async fn environments(
        &self,
        reader: Reader,
        project: Option<ProjectId>,
        id: Option<EnvironmentId>,
        page: Page,
    ) -> Result<Listed<EnvironmentRow>, QueryError> {
        let rows = sqlx::query!(
            r#"select e.id as "id!", coalesce(e.name, '') as "name!", e.project_id as "project_id!",
                   coalesce(e.project_name, '') as "project_name!", e.organization_id as "organization_id!",
                   e.environment_type as "environment_type!", e.description,
                   e.created_at as "created_at!", e.updated_at as "updated_at!", e.role as "role!",
                   e.n as "n!", e.total as "total!", e.verdict as "verdict!", coalesce(u.full_name, (select t.name from tokens t where t.id = e.creator_id), '') as "created_by_name!",
                   (select count(*) from variables v where v.environment_id = e.id) as "variable_count!"
               from (select e.*, p.name as project_name, m.role, verdict,
                         row_number() over (order by e.created_at, e.id) as n, count(*) over () as total
                     from memberships m
                     join organizations o on o.id = m.organization_id
                     join projects p on p.organization_id = m.organization_id
                     join environments e on e.project_id = p.id
                     cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $9::text::jsonb) verdict
                     where m.user_id = $1 and ($3::bigint is not null or verdict in ('let_in', 'would_refuse')) and ($2::bigint is null or e.project_id = $2)
                         and ($3::bigint is null or e.id = $3)
                         and ($6::bigint[] is null or o.id = any($6) or p.id = any($7) or e.id = any($8))) e
               left join users u on u.id = e.creator_id
               where e.n = 1 or (e.n > $4 and e.n <= $5)
               order by e.n limit 1001"#,
            reader.user().get(),
            project.map(ProjectId::get),
            id.map(EnvironmentId::get),
            page.before(),
            page.until(),
            reader.whole_organizations(),
            reader.whole_projects(),
            reader.environments(),
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(
            rows,
            page,
            |row| (row.n, row.total),
            |row| {
                reader.admit(OrganizationId::new(row.organization_id), &row.verdict)?;
                let environment_type = EnvironmentType::parse(&row.environment_type)
                    .ok_or(QueryError::Inconsistent { what: "environment type" })?;
                Ok(EnvironmentRow {
                    id: EnvironmentId::new(row.id),
                    name: row.name,
                    project: ProjectId::new(row.project_id),
                    project_name: row.project_name,
                    organization: OrganizationId::new(row.organization_id),
                    environment_type,
                    description: row.description,
                    created_at: row.created_at.into(),
                    updated_at: row.updated_at.into(),
                    created_by_name: row.created_by_name,
                    variable_count: count(row.variable_count),
                    role: role(&row.role)?,
                })
            },
        )
    }
}
