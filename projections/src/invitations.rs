//! Invitations: who was asked to join, and what came of it.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::organization::{self, InvitationSent};
use keynest_domain::{Event, InvitationId, OrganizationId, Role, Timestamp, UserId};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, one_row};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::{Queries, role};

/// Pending invitations of one team in one answer.
pub const PENDING_MAX: i64 = 1_000;

/// An invitation that nobody has answered yet.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InvitationRow {
    pub id: InvitationId,
    pub organization: OrganizationId,
    pub email: String,
    pub role: Role,
    pub inviter_name: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The projection `invitations`.
pub struct Invitations;

#[async_trait]
impl Projection for Invitations {
    fn name(&self) -> &'static str {
        crate::names::INVITATIONS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["invitations"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["organization"])
    }

    fn wants(&self, event: &str) -> bool {
        event.starts_with("organization.invitation_")
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            let Event::Organization(event) = &applied.event else { continue };
            let (invitation, status) = match event {
                organization::Event::InvitationSent(it) => {
                    send(applied, it, rows, keyring).await?;
                    continue;
                }
                organization::Event::InvitationAccepted(it) => (it.invitation, "accepted"),
                organization::Event::InvitationRevoked(it) => (it.invitation, "revoked"),
                organization::Event::InvitationExpired(it) => (it.invitation, "expired"),
                organization::Event::OrganizationCreated(_)
                | organization::Event::OrganizationUpdated(_)
                | organization::Event::SecurityPolicyChanged(_)
                | organization::Event::OrganizationDeleted(_)
                | organization::Event::MemberJoined(_)
                | organization::Event::MemberRoleChanged(_)
                | organization::Event::MemberRemoved(_)
                | organization::Event::AddressRulesChanged(_)
                | organization::Event::ServiceTokenCreated(_)
                | organization::Event::ServiceTokenRevoked(_)
                | organization::Event::TrustCreated(_)
                | organization::Event::TrustRemoved(_) => continue,
            };
            answer(applied, invitation, status, rows).await?;
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::Invitation(invitation) = key.subject {
            sqlx::query!("update invitations set address = null where id = $1", invitation.get())
                .execute(rows)
                .await?;
        }
        Ok(())
    }
}

async fn send(
    applied: &Applied,
    it: &InvitationSent,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::Invitation(it.invitation);
    let address = applied.open(keyring, subject, "address", &it.address).await?;
    sqlx::query!(
        "insert into invitations (id, organization_id, address, role, inviter_id, status, created_at, expires_at)
         values ($1, $2, $3, $4, $5, 'pending', $6, $7)",
        it.invitation.get(),
        applied.stream_number()?,
        address,
        it.role.name(),
        it.inviter.get(),
        column(it.at),
        column(it.expires_at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn answer(
    applied: &Applied,
    invitation: InvitationId,
    status: &str,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        "update invitations set status = $2, answered_at = $3 where id = $1",
        invitation.get(),
        status,
        applied.at()
    )
    .execute(rows)
    .await?;
    one_row(&done, "invitation")
}

/// Personal data does not print.
impl std::fmt::Debug for InvitationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationRow").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Queries {
    /// The unanswered invitations of a team, oldest first; `None` unless the caller is an admin of it.
    pub async fn pending_invitations(
        &self,
        user: UserId,
        id: OrganizationId,
    ) -> Result<Option<Vec<InvitationRow>>, QueryError> {
        let rows = sqlx::query!(
            r#"select i.id as "id?", coalesce(i.address, '') as "email!", coalesce(i.role, '') as "role!",
                   coalesce(u.full_name, '') as "inviter_name!",
                   i.created_at as "created_at?", i.expires_at as "expires_at?"
               from memberships m
               join organizations o on o.id = m.organization_id
               left join invitations i on i.organization_id = m.organization_id and i.status = 'pending'
               left join users u on u.id = i.inviter_id
               where m.user_id = $1 and m.organization_id = $2 and m.role = 'admin'
               order by i.created_at, i.id limit $3"#,
            user.get(),
            id.get(),
            PENDING_MAX
        )
        .fetch_all(self.read())
        .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut pending = Vec::with_capacity(rows.len());
        for row in rows {
            let (Some(invitation), Some(created_at), Some(expires_at)) =
                (row.id, row.created_at, row.expires_at)
            else {
                continue;
            };
            pending.push(InvitationRow {
                id: InvitationId::new(invitation),
                organization: id,
                email: row.email,
                role: role(&row.role)?,
                inviter_name: row.inviter_name,
                created_at: created_at.into(),
                expires_at: expires_at.into(),
            });
        }
        Ok(Some(pending))
    }

    /// Unanswered invitations of living teams whose time is over, for the janitor.
    pub async fn expired_invitations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(OrganizationId, InvitationId)>, QueryError> {
        let rows = sqlx::query!(
            "select i.organization_id, i.id from invitations i
             join organizations o on o.id = i.organization_id
             where i.status = 'pending' and i.expires_at <= $1
             order by i.expires_at, i.id limit $2",
            column(now),
            i64::from(limit)
        )
        .fetch_all(self.read())
        .await?;
        let read = rows.into_iter();
        let read =
            read.map(|row| (OrganizationId::new(row.organization_id), InvitationId::new(row.id)));
        Ok(read.collect())
    }
}
