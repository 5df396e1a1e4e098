//! A person as the API shows one (CONTRACT 1.1).

use keynest_projections::{Profile, UserRow, UserStanding};
use serde::Serialize;
use utoipa::ToSchema;

/// An account.
#[derive(Clone, Serialize, ToSchema)]
pub struct User {
    id: i64,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    /// First and last name, else the username.
    full_name: String,
    date_joined: String,
    last_login: Option<String>,
    is_active: bool,
}

/// An account with its teams; the account's fields stand at the top level as well.
#[derive(Serialize, ToSchema)]
pub struct ProfileAnswer {
    user: User,
    organizations: Vec<Team>,
    /// Whether mails that are not about security are wanted.
    notices: bool,
    /// The picture at a linked sign-in provider, for browsers to load; this server never asks for it.
    avatar_url: Option<String>,
    /// Whether `/api/admin/` answers this person.
    is_administrator: bool,
    #[serde(flatten)]
    flat: User,
}

/// A team as its member's profile shows it.
#[derive(Serialize, ToSchema)]
pub struct Team {
    id: i64,
    name: String,
    #[schema(value_type = String)]
    role: keynest_domain::Role,
}

/// An answer that only says what was done.
#[derive(Serialize, ToSchema)]
pub struct Message {
    message: &'static str,
}

impl From<&UserRow> for User {
    fn from(row: &UserRow) -> Self {
        Self {
            id: row.id.get(),
            username: row.username.clone(),
            email: row.email.clone(),
            first_name: row.first_name.clone(),
            last_name: row.last_name.clone(),
            full_name: row.full_name.clone(),
            date_joined: row.date_joined.iso(),
            last_login: row.last_login.map(keynest_domain::Timestamp::iso),
            is_active: row.standing == UserStanding::Active,
        }
    }
}

impl From<&Profile> for ProfileAnswer {
    fn from(profile: &Profile) -> Self {
        let user = User::from(&profile.user);
        let organizations = profile.organizations.iter();
        Self {
            organizations: organizations
                .map(|it| Team { id: it.id.get(), name: it.name.clone(), role: it.role })
                .collect(),
            notices: !profile.user.refuses_notices,
            avatar_url: profile.avatar_url.clone(),
            is_administrator: profile.user.is_administrator,
            flat: user.clone(),
            user,
        }
    }
}

impl Message {
    /// For people.
    pub const fn new(message: &'static str) -> Self {
        Self { message }
    }
}
