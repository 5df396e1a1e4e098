//! A person and the teams that the person is in.

use keynest_domain::{OrganizationId, Role, Timestamp, UserId};

use crate::error::QueryError;
use crate::queries::{Queries, role};
use crate::users::{UserRow, standing};

/// Teams of one person in one answer.
pub const PROFILE_ORGANIZATIONS_MAX: i64 = 1_000;

/// What a person sees of the own account.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Profile {
    pub user: UserRow,
    /// The picture that the first identity with one told: an address, never asked from here.
    pub avatar_url: Option<String>,
    /// In order of joining, at most [`PROFILE_ORGANIZATIONS_MAX`].
    pub organizations: Vec<ProfileOrganization>,
}

/// A team as a person's profile shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProfileOrganization {
    pub id: OrganizationId,
    pub name: String,
    pub role: Role,
}

impl Queries {
    /// An account with its teams; `None` for an account that does not exist.
    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>, QueryError> {
        let rows = sqlx::query!(
            r#"select u.id, coalesce(u.username, '') as "username!", coalesce(u.email, '') as "email!",
                   coalesce(u.first_name, '') as "first_name!", coalesce(u.last_name, '') as "last_name!",
                   u.full_name, u.standing, u.refuses_notices, u.is_administrator, u.date_joined, u.last_login,
                   (select i.avatar_url from identities i where i.user_id = u.id and i.avatar_url is not null
                    order by i.linked_at, i.id limit 1) as "avatar_url?",
                   t.id as "organization_id?", t.name as "organization_name?", t.role as "role?"
               from users u
               left join (select m.user_id, m.role, m.joined_at, o.id, coalesce(o.name, '') as name
                          from memberships m join organizations o on o.id = m.organization_id) t
                   on t.user_id = u.id
               where u.id = $1
               order by t.joined_at, t.id limit $2"#,
            user.get(),
            PROFILE_ORGANIZATIONS_MAX
        )
        .fetch_all(self.read())
        .await?;
        let mut profile: Option<Profile> = None;
        for row in rows {
            if profile.is_none() {
                let user = UserRow {
                    id: UserId::new(row.id),
                    username: row.username,
                    email: row.email,
                    first_name: row.first_name,
                    last_name: row.last_name,
                    full_name: row.full_name,
                    standing: standing(&row.standing)?,
                    refuses_notices: row.refuses_notices,
                    is_administrator: row.is_administrator,
                    date_joined: row.date_joined.into(),
                    last_login: row.last_login.map(Timestamp::from),
                };
                profile =
                    Some(Profile { user, avatar_url: row.avatar_url, organizations: Vec::new() });
            }
            if let (Some(profile), Some(id), Some(name), Some(stored)) =
                (&mut profile, row.organization_id, row.organization_name, row.role)
            {
                let (id, role) = (OrganizationId::new(id), role(&stored)?);
                profile.organizations.push(ProfileOrganization { id, name, role });
            }
        }
        Ok(profile)
    }
}

/// Personal data does not print.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("user", &self.user).finish_non_exhaustive()
    }
}
