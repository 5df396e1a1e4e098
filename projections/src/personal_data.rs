//! Everything that the read models keep about one person, for that person: not for others.

use keynest_domain::{InvitationId, OrganizationId, Role, SessionId, Timestamp, UserId};

use crate::error::QueryError;
use crate::queries::{Queries, role};
use crate::reader::Reader;
use crate::tokens::TokenRow;

/// Rows of each kind in one copy: the newest ones.
pub const PERSONAL_ROWS_MAX: i64 = 10_000;

/// A sign-in.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PersonalSession {
    pub id: SessionId,
    pub method: String,
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<String>,
    /// Of sessions that live.
    pub address: Option<String>,
    pub agent: Option<String>,
}

/// A personal token, living or not. Its text is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PersonalToken {
    pub row: TokenRow,
    pub ended_at: Option<Timestamp>,
}

/// A place in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PersonalMembership {
    pub organization: OrganizationId,
    pub organization_name: String,
    pub role: Role,
    pub joined_at: Timestamp,
}

/// An invitation that the person sent or got.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PersonalInvitation {
    pub id: InvitationId,
    pub organization: OrganizationId,
    pub address: String,
    pub is_mine: bool,
    pub role: Role,
    pub status: String,
    pub created_at: Timestamp,
    pub answered_at: Option<Timestamp>,
}

/// Personal data does not print.
impl std::fmt::Debug for PersonalSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonalSession").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Personal data does not print.
impl std::fmt::Debug for PersonalInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonalInvitation").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Queries {
    /// Every sign-in of a person, the newest first.
    pub async fn personal_sessions(
        &self,
        user: UserId,
    ) -> Result<Vec<PersonalSession>, QueryError> {
        let rows = sqlx::query!(
            "select id, method, started_at, last_used_at, ended_at, end_reason, address, agent from sessions
             where user_id = $1 order by started_at desc, id limit $2",
            user.get(),
            PERSONAL_ROWS_MAX
        )
        .fetch_all(self.read())
        .await?;
        let sessions = rows.into_iter().map(|row| PersonalSession {
            id: SessionId::new(row.id),
            method: row.method,
            started_at: row.started_at.into(),
            last_used_at: row.last_used_at.into(),
            ended_at: row.ended_at.map(Timestamp::from),
            end_reason: row.end_reason,
            address: row.address,
            agent: row.agent,
        });
        Ok(sessions.collect())
    }

    /// Every team of a person, in the order of joining.
    pub async fn personal_memberships(
        &self,
        user: UserId,
    ) -> Result<Vec<PersonalMembership>, QueryError> {
        let rows = sqlx::query!(
            r#"select m.organization_id, coalesce(o.name, '') as "name!", m.role, m.joined_at
               from memberships m join organizations o on o.id = m.organization_id
               where m.user_id = $1 order by m.joined_at, m.organization_id limit $2"#,
            user.get(),
            PERSONAL_ROWS_MAX
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(PersonalMembership {
                    organization: OrganizationId::new(row.organization_id),
                    organization_name: row.name,
                    role: role(&row.role)?,
                    joined_at: row.joined_at.into(),
                })
            })
            .collect()
    }

    /// Every invitation that a person sent or that was sent to the person's address, the newest first. Not those sent for
    /// teams that require a second factor which this reader has not shown.
    pub async fn personal_invitations(
        &self,
        reader: impl Into<Reader>,
    ) -> Result<Vec<PersonalInvitation>, QueryError> {
        let reader = reader.into();
        let rows = sqlx::query!(
            r#"select i.id, i.organization_id, coalesce(i.address, '') as "address!", i.inviter_id = $1 as "is_mine!",
                   i.role, i.status, i.created_at, i.answered_at
               from invitations i left join organizations o on o.id = i.organization_id
               where (i.inviter_id = $1 and (o.id is null or read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $3::text::jsonb) in ('let_in', 'would_refuse')))
                   or i.address = (select email from users where id = $1)
               order by i.created_at desc, i.id limit $2"#,
            reader.user().get(),
            PERSONAL_ROWS_MAX,
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(PersonalInvitation {
                    id: InvitationId::new(row.id),
                    organization: OrganizationId::new(row.organization_id),
                    address: row.address,
                    is_mine: row.is_mine,
                    role: role(&row.role)?,
                    status: row.status,
                    created_at: row.created_at.into(),
                    answered_at: row.answered_at.map(Timestamp::from),
                })
            })
            .collect()
    }
}
