//! Who is in a team; written by the projection `organizations`.

use keynest_domain::organization::{MemberJoined, MemberRemoved, MemberRoleChanged, ServiceRole};
use keynest_domain::{OrganizationId, Role, Timestamp, TokenId, UserId};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, one_row};
use crate::projection::{Applied, column};
use crate::queries::{Queries, role};
use crate::reader::Reader;

/// Members of one team in one answer; ten times what the domain allows.
pub const MEMBERS_LISTED_MAX: i64 = 1_000;

/// The members of a team as one of them sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Members {
    /// The caller's.
    pub role: Role,
    pub organization_name: String,
    /// In order of joining.
    pub members: Vec<MemberRow>,
}

/// A member.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MemberRow {
    pub user: UserId,
    pub email: String,
    pub username: String,
    pub full_name: String,
    pub role: Role,
    pub joined_at: Timestamp,
    /// For admins only.
    pub last_login: Option<Timestamp>,
    /// For admins only.
    pub is_active: bool,
}

/// A member as the mailer sees one.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Recipient {
    pub user: UserId,
    pub email: String,
    pub full_name: String,
    pub role: Role,
    pub refuses_notices: bool,
}

pub(crate) async fn join(
    applied: &Applied,
    it: &MemberJoined,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into memberships (user_id, organization_id, role, joined_at) values ($1, $2, $3, $4)",
        it.user.get(),
        applied.stream_number()?,
        it.role.name(),
        column(it.at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

pub(crate) async fn change_role(
    applied: &Applied,
    it: &MemberRoleChanged,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "update memberships set role = $3 where user_id = $1 and organization_id = $2",
        it.user.get(),
        applied.stream_number()?,
        it.to.name()
    )
    .execute(rows)
    .await?;
    one_row(&done, "membership")
}

pub(crate) async fn remove(
    applied: &Applied,
    it: &MemberRemoved,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "delete from memberships where user_id = $1 and organization_id = $2",
        it.user.get(),
        applied.stream_number()?
    )
    .execute(rows)
    .await?;
    one_row(&done, "membership")
}

/// A service has a role from now on; it is no member.
pub(crate) async fn serve(
    applied: &Applied,
    service: TokenId,
    as_role: ServiceRole,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into memberships (user_id, organization_id, role, joined_at, is_service) values ($1, $2, $3, $4, true)",
        service.get(),
        applied.stream_number()?,
        Role::from(as_role).name(),
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

pub(crate) async fn serve_no_more(
    applied: &Applied,
    service: TokenId,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "delete from memberships where user_id = $1 and organization_id = $2 and is_service",
        service.get(),
        applied.stream_number()?
    )
    .execute(rows)
    .await?;
    one_row(&done, "service")
}

/// Personal data does not print.
impl std::fmt::Debug for MemberRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberRow").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Personal data does not print.
impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Queries {
    /// The members of a team of the caller; `None` for everybody else's.
    pub async fn list_members(
        &self,
        reader: impl Into<Reader>,
        id: OrganizationId,
    ) -> Result<Option<Members>, QueryError> {
        let reader = reader.into();
        let rows = sqlx::query!(
            r#"select c.role as caller_role, coalesce(o.name, '') as "organization_name!",
                   m.user_id, m.role, m.joined_at, coalesce(u.email, '') as "email!",
                   coalesce(u.username, '') as "username!", coalesce(u.full_name, '') as "full_name!",
                   read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $4::text::jsonb) as "verdict!",
                   u.last_login as "last_login?", coalesce(u.standing = 'active', false) as "is_active!"
               from memberships c
               join organizations o on o.id = c.organization_id
               join memberships m on m.organization_id = c.organization_id and not m.is_service
               left join users u on u.id = m.user_id
               where c.user_id = $1 and c.organization_id = $2
               order by m.joined_at, m.user_id limit $3"#,
            reader.user().get(),
            id.get(),
            MEMBERS_LISTED_MAX,
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        reader.admit(id, &first.verdict)?;
        let mut answer = Members {
            role: role(&first.caller_role)?,
            organization_name: first.organization_name.clone(),
            members: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            answer.members.push(MemberRow {
                user: UserId::new(row.user_id),
                email: row.email,
                username: row.username,
                full_name: row.full_name,
                role: role(&row.role)?,
                joined_at: row.joined_at.into(),
                last_login: row.last_login.map(Timestamp::from),
                is_active: row.is_active,
            });
        }
        Ok(Some(answer))
    }

    /// Whom mails about a team may go to: its members with active accounts. For workers, not for callers.
    pub async fn recipients(&self, id: OrganizationId) -> Result<Vec<Recipient>, QueryError> {
        let rows = sqlx::query!(
            r#"select u.id, u.email as "email!", u.full_name, m.role, u.refuses_notices
               from memberships m join users u on u.id = m.user_id
               where m.organization_id = $1 and u.standing = 'active' and u.email is not null
               order by m.joined_at, m.user_id limit $2"#,
            id.get(),
            MEMBERS_LISTED_MAX
        )
        .fetch_all(self.read())
        .await?;
        let read = rows.into_iter().map(|row| {
            Ok(Recipient {
                user: UserId::new(row.id),
                email: row.email,
                full_name: row.full_name,
                role: role(&row.role)?,
                refuses_notices: row.refuses_notices,
            })
        });
        read.collect()
    }
}
