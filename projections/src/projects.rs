//! Living projects.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::project::{self, ProjectCreated, ProjectUpdated};
use keynest_domain::{Event, OrganizationId, ProjectId, Role, Timestamp};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, one_row};
use crate::page::{Listed, Page};
use crate::projection::{Applied, Categories, Projection};
use crate::queries::{Queries, count, role};
use crate::reader::Reader;

/// A project as a member of its team sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProjectRow {
    pub id: ProjectId,
    pub name: String,
    pub description: Option<String>,
    pub organization: OrganizationId,
    pub organization_name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by_name: String,
    pub environment_count: u32,
    /// The caller's.
    pub role: Role,
}

/// The projection `projects`.
pub struct Projects;

#[async_trait]
impl Projection for Projects {
    fn name(&self) -> &'static str {
        crate::names::PROJECTS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["projects"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["project"])
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            let Event::Project(event) = &applied.event else { continue };
            match event {
                project::Event::ProjectCreated(it) => create(applied, it, rows, keyring).await?,
                project::Event::ProjectUpdated(it) => update(applied, it, rows, keyring).await?,
                project::Event::ProjectDeleted(_) => {
                    let id = applied.stream_number()?;
                    let done = sqlx::query!("delete from projects where id = $1", id);
                    one_row(&done.execute(&mut *rows).await?, "project")?;
                }
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::Organization(organization) = key.subject {
            sqlx::query!(
                "update projects set name = null, description = null where organization_id = $1",
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
    it: &ProjectCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::Organization(it.organization);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "insert into projects (id, organization_id, name, description, creator_id, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6)",
        it.project.get(),
        it.organization.get(),
        name,
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
    it: &ProjectUpdated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let id = applied.stream_number()?;
    let organization =
        sqlx::query_scalar!("select organization_id from projects where id = $1 limit 1", id)
            .fetch_optional(&mut *rows)
            .await?
            .ok_or_else(|| ApplyError::failing("there is no row of this project"))?;
    let subject = Subject::Organization(OrganizationId::new(organization));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "update projects set name = $2, description = $3, updated_at = $4 where id = $1",
        id,
        name,
        description,
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

impl Queries {
    /// A project in a team of the caller; `None` for everybody else's.
    pub async fn project(
        &self,
        reader: impl Into<Reader>,
        id: ProjectId,
    ) -> Result<Option<ProjectRow>, QueryError> {
        Ok(self.projects(reader.into(), None, Some(id), Page::SINGLE).await?.single())
    }

    /// The projects of all of the caller's teams or of one of them, oldest first.
    pub async fn list_projects(
        &self,
        reader: impl Into<Reader>,
        organization: Option<OrganizationId>,
        page: Page,
    ) -> Result<Listed<ProjectRow>, QueryError> {
        self.projects(reader.into(), organization, None, page).await
    }

    async fn projects(
        &self,
        reader: Reader,
        organization: Option<OrganizationId>,
        id: Option<ProjectId>,
        page: Page,
    ) -> Result<Listed<ProjectRow>, QueryError> {
        let rows = sqlx::query!(
            r#"select p.id as "id!", coalesce(p.name, '') as "name!", p.description,
                   p.organization_id as "organization_id!", coalesce(p.organization_name, '') as "organization_name!",
                   p.created_at as "created_at!", p.updated_at as "updated_at!", p.role as "role!",
                   p.n as "n!", p.total as "total!", p.verdict as "verdict!", coalesce(u.full_name, (select t.name from tokens t where t.id = p.creator_id), '') as "created_by_name!",
                   (select count(*) from environments e where e.project_id = p.id
                       and ($6::bigint[] is null or p.organization_id = any($6) or p.id = any($8) or e.id = any($9))) as "environment_count!"
               from (select p.*, o.name as organization_name, m.role, verdict,
                         row_number() over (order by p.created_at, p.id) as n, count(*) over () as total
                     from memberships m
                     join organizations o on o.id = m.organization_id
                     join projects p on p.organization_id = m.organization_id
                     cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $10::text::jsonb) verdict
                     where m.user_id = $1 and ($3::bigint is not null or verdict in ('let_in', 'would_refuse')) and ($2::bigint is null or m.organization_id = $2)
                         and ($3::bigint is null or p.id = $3)
                         and ($6::bigint[] is null or p.organization_id = any($6) or p.id = any($7))) p
               left join users u on u.id = p.creator_id
               where p.n = 1 or (p.n > $4 and p.n <= $5)
               order by p.n limit 1001"#,
            reader.user().get(),
            organization.map(OrganizationId::get),
            id.map(ProjectId::get),
            page.before(),
            page.until(),
            reader.whole_organizations(),
            reader.seen_projects(),
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
                Ok(ProjectRow {
                    id: ProjectId::new(row.id),
                    name: row.name,
                    description: row.description,
                    organization: OrganizationId::new(row.organization_id),
                    organization_name: row.organization_name,
                    created_at: row.created_at.into(),
                    updated_at: row.updated_at.into(),
                    created_by_name: row.created_by_name,
                    environment_count: count(row.environment_count),
                    role: role(&row.role)?,
                })
            },
        )
    }
}
