//! Where a person is known, for the erasure of the account and for the copy of everything that is kept: not for others.

use keynest_domain::{EnvironmentId, InvitationId, OrganizationId, UserId};

use crate::error::QueryError;
use crate::queries::Queries;

/// What an erasure has to deal with besides the account itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FootprintRows {
    /// Teams that the person is a member of.
    pub organizations: Vec<OrganizationId>,
    /// Invitations to the person's address, whatever became of them.
    pub invitations: Vec<(OrganizationId, InvitationId)>,
    /// Environments of the teams that the person is alone in.
    pub environments: Vec<EnvironmentId>,
}

impl Queries {
    /// Where a person is known; at most `limit` of each kind.
    pub async fn footprint(&self, user: UserId, limit: u32) -> Result<FootprintRows, QueryError> {
        let limit = i64::from(limit);
        let organizations = sqlx::query_scalar!(
            "select organization_id from memberships where user_id = $1 order by organization_id limit $2",
            user.get(),
            limit
        )
        .fetch_all(self.read())
        .await?;
        let invitations = sqlx::query!(
            "select i.organization_id, i.id from invitations i join users u on u.email = i.address
             where u.id = $1 order by i.id limit $2",
            user.get(),
            limit
        )
        .fetch_all(self.read())
        .await?;
        let environments = sqlx::query_scalar!(
            "select e.id from memberships m join environments e on e.organization_id = m.organization_id
             where m.user_id = $1 and not exists (select from memberships o
                 where o.organization_id = m.organization_id and o.user_id <> m.user_id)
             order by e.id limit $2",
            user.get(),
            limit
        )
        .fetch_all(self.read())
        .await?;
        Ok(FootprintRows {
            organizations: organizations.into_iter().map(OrganizationId::new).collect(),
            invitations: invitations
                .into_iter()
                .map(|row| (OrganizationId::new(row.organization_id), InvitationId::new(row.id)))
                .collect(),
            environments: environments.into_iter().map(EnvironmentId::new).collect(),
        })
    }

    /// Memberships of erased people: joined while the account was erased. For the janitor.
    pub async fn erased_members(
        &self,
        limit: u32,
    ) -> Result<Vec<(OrganizationId, UserId)>, QueryError> {
        let rows = sqlx::query!(
            "select m.organization_id, m.user_id from users u join memberships m on m.user_id = u.id
             where u.standing = 'erased' order by m.organization_id, m.user_id limit $1",
            i64::from(limit)
        )
        .fetch_all(self.read())
        .await?;
        let members = rows
            .into_iter()
            .map(|row| (OrganizationId::new(row.organization_id), UserId::new(row.user_id)));
        Ok(members.collect())
    }
}
