//! Living teams, with what their members see of them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::organization::{self, OrganizationCreated, OrganizationUpdated};
use keynest_domain::{Event, OrganizationId, Role, Timestamp};
use keynest_store::Revision;
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, all_rows, one_row};
use crate::page::{Listed, Page};
use crate::projection::{Applied, Categories, Projection};
use crate::queries::{Queries, count, role};
use crate::reader::Reader;
use crate::{address_rules, memberships};

/// A team as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OrganizationRow {
    pub id: OrganizationId,
    pub name: String,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub member_count: u32,
    pub project_count: u32,
    /// The caller's.
    pub role: Role,
    /// Of the organization's stream, for checks at append.
    pub revision: Revision,
    /// It requires a second factor that the caller has not shown: nothing but its name and the role is here.
    pub is_closed: bool,
}

/// The projection `organizations`: teams and memberships.
pub struct Organizations;

#[async_trait]
impl Projection for Organizations {
    fn name(&self) -> &'static str {
        crate::names::ORGANIZATIONS
    }

    /// 2: what a team asks of sign-ins.
    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["organizations", "memberships"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["organization"])
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        let mut revisions = BTreeMap::new();
        for applied in events {
            let Event::Organization(event) = &applied.event else { continue };
            apply_one(applied, event, rows, keyring).await?;
            if matches!(event, organization::Event::OrganizationDeleted(_)) {
                revisions.remove(&applied.stream_number()?);
            } else {
                let revision = i64::from(applied.recorded.revision.get());
                revisions.insert(applied.stream_number()?, revision);
            }
        }
        write_revisions(&revisions, rows).await
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::Organization(organization) = key.subject {
            sqlx::query!(
                "update organizations set name = null, description = null, address_allow = '{}',
                     address_deny = '{}' where id = $1",
                organization.get()
            )
            .execute(rows)
            .await?;
        }
        Ok(())
    }
}

async fn apply_one(
    applied: &Applied,
    event: &organization::Event,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    match event {
        organization::Event::OrganizationCreated(it) => create(applied, it, rows, keyring).await,
        organization::Event::OrganizationDeleted(_) => delete(applied, rows).await,
        organization::Event::OrganizationUpdated(it) => update(applied, it, rows, keyring).await,
        organization::Event::MemberJoined(it) => memberships::join(applied, it, rows).await,
        organization::Event::MemberRoleChanged(it) => {
            memberships::change_role(applied, it, rows).await
        }
        organization::Event::MemberRemoved(it) => memberships::remove(applied, it, rows).await,
        organization::Event::AddressRulesChanged(it) => {
            address_rules::change(applied, it, rows, keyring).await
        }
        organization::Event::ServiceTokenCreated(it) => {
            memberships::serve(applied, it.token, it.role, rows).await
        }
        organization::Event::TrustCreated(it) => {
            memberships::serve(applied, it.trust, it.role, rows).await
        }
        organization::Event::ServiceTokenRevoked(it) => {
            memberships::serve_no_more(applied, it.token, rows).await
        }
        organization::Event::TrustRemoved(it) => {
            memberships::serve_no_more(applied, it.trust, rows).await
        }
        organization::Event::SecurityPolicyChanged(it) => {
            require_second_factor(applied, it.require_second_factor, rows).await
        }
        organization::Event::InvitationSent(_)
        | organization::Event::InvitationAccepted(_)
        | organization::Event::InvitationRevoked(_)
        | organization::Event::InvitationExpired(_) => Ok(()),
    }
}

/// How far each team's stream has come, once for all events of a batch.
async fn write_revisions(
    revisions: &BTreeMap<i64, i64>,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    if revisions.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = revisions.keys().copied().collect();
    let revisions: Vec<i64> = revisions.values().copied().collect();
    let done = sqlx::query!(
        "update organizations o set revision = r.revision
         from unnest($1::bigint[], $2::bigint[]) as r(id, revision) where o.id = r.id",
        &ids,
        &revisions
    )
    .execute(rows)
    .await?;
    all_rows(&done, ids.len(), "organization")
}

async fn create(
    applied: &Applied,
    it: &OrganizationCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::Organization(it.organization);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "insert into organizations (id, name, description, creator_id, is_personal, revision, created_at, updated_at,
             requires_second_factor)
         values ($1, $2, $3, $4, $5, $6, $7, $7, false)",
        it.organization.get(),
        name,
        description,
        it.creator.get(),
        it.is_personal,
        i64::from(applied.recorded.revision.get()),
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn update(
    applied: &Applied,
    it: &OrganizationUpdated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let id = applied.stream_number()?;
    let subject = Subject::Organization(OrganizationId::new(id));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let description = it.description.as_ref();
    let description = applied.open_optional(keyring, subject, "description", description).await?;
    sqlx::query!(
        "update organizations set name = $2, description = $3, updated_at = $4 where id = $1",
        id,
        name,
        description,
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn require_second_factor(
    applied: &Applied,
    is_required: bool,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let id = applied.stream_number()?;
    sqlx::query!(
        "update organizations set requires_second_factor = $2 where id = $1",
        id,
        is_required
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn delete(applied: &Applied, rows: &mut PgConnection) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "with left_behind as (delete from memberships where organization_id = $1)
         delete from organizations where id = $1",
        applied.stream_number()?
    )
    .execute(rows)
    .await?;
    one_row(&done, "organization")
}

/// A team as administrators of the instance see it: how large it is, and nothing of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OrganizationCounts {
    pub id: OrganizationId,
    pub created_at: Timestamp,
    pub member_count: u32,
    pub project_count: u32,
    pub environment_count: u32,
    pub variable_count: u32,
}

impl Queries {
    /// All teams, oldest first, for administrators of the instance.
    pub async fn count_organizations(
        &self,
        page: Page,
    ) -> Result<Listed<OrganizationCounts>, QueryError> {
        let rows = sqlx::query!(
            r#"select o.id as "id!", o.created_at as "created_at!", o.n as "n!", o.total as "total!",
                   (select count(*) from memberships m where m.organization_id = o.id and not m.is_service) as "member_count!",
                   (select count(*) from projects p where p.organization_id = o.id) as "project_count!",
                   (select count(*) from environments e where e.organization_id = o.id) as "environment_count!",
                   (select count(*) from variables v join environments e on e.id = v.environment_id
                    where e.organization_id = o.id) as "variable_count!"
               from (select id, created_at, row_number() over (order by created_at, id) as n, count(*) over () as total
                     from organizations) o
               where o.n = 1 or (o.n > $1 and o.n <= $2)
               order by o.n limit 1001"#,
            page.before(),
            page.until()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(
            rows,
            page,
            |row| (row.n, row.total),
            |row| {
                Ok(OrganizationCounts {
                    id: OrganizationId::new(row.id),
                    created_at: row.created_at.into(),
                    member_count: count(row.member_count),
                    project_count: count(row.project_count),
                    environment_count: count(row.environment_count),
                    variable_count: count(row.variable_count),
                })
            },
        )
    }

    /// A team of the caller; `None` for everybody else's.
    pub async fn organization(
        &self,
        reader: impl Into<Reader>,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, QueryError> {
        Ok(self.organizations(reader.into(), Some(id), Page::SINGLE).await?.single())
    }

    /// The caller's teams, oldest first; also those that do not let the caller's address in. Of those that require a second
    /// factor which the caller has not shown, the name and the role.
    pub async fn list_organizations(
        &self,
        reader: impl Into<Reader>,
        page: Page,
    ) -> Result<Listed<OrganizationRow>, QueryError> {
        self.organizations(reader.into(), None, page).await
    }

    async fn organizations(
        &self,
        reader: Reader,
        id: Option<OrganizationId>,
        page: Page,
    ) -> Result<Listed<OrganizationRow>, QueryError> {
        let rows = sqlx::query!(
            r#"select o.id as "id!", coalesce(o.name, '') as "name!", o.description,
                   o.created_at as "created_at!", o.updated_at as "updated_at!", o.revision as "revision!",
                   o.role as "role!", o.n as "n!", o.total as "total!",
                   read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $8::text::jsonb) as "verdict!",
                   (select count(*) from memberships m where m.organization_id = o.id and not m.is_service) as "member_count!",
                   (select count(*) from projects p where p.organization_id = o.id
                       and ($6::bigint[] is null or p.organization_id = any($6) or p.id = any($7))) as "project_count!"
               from (select o.*, m.role, row_number() over (order by o.created_at, o.id) as n, count(*) over () as total
                     from memberships m join organizations o on o.id = m.organization_id
                     where m.user_id = $1 and ($2::bigint is null or m.organization_id = $2)
                         and ($5::bigint[] is null or m.organization_id = any($5))) o
               where o.n = 1 or (o.n > $3 and o.n <= $4)
               order by o.n limit 1001"#,
            reader.user().get(),
            id.map(OrganizationId::get),
            page.before(),
            page.until(),
            reader.seen_organizations(),
            reader.whole_organizations(),
            reader.seen_projects(),
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(
            rows,
            page,
            |row| (row.n, row.total),
            |row| {
                if id.is_some() {
                    reader.admit(OrganizationId::new(row.id), &row.verdict)?;
                }
                let is_closed = row.verdict == "second_factor_required";
                let seen = |number: i64| if is_closed { 0 } else { count(number) };
                Ok(OrganizationRow {
                    id: OrganizationId::new(row.id),
                    name: row.name,
                    description: row.description.filter(|_| !is_closed),
                    created_at: row.created_at.into(),
                    updated_at: row.updated_at.into(),
                    member_count: seen(row.member_count),
                    project_count: seen(row.project_count),
                    role: role(&row.role)?,
                    revision: Revision::new(count(row.revision)),
                    is_closed,
                })
            },
        )
    }
}
