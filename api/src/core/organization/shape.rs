//! An organization, its members and invitations as clients see them (CONTRACT 1.1).

use keynest_domain::Role;
use keynest_projections::{InvitationRow, MemberRow, OrganizationRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An organization, seen by one of its members.
#[derive(Serialize, ToSchema)]
pub struct Organization {
    id: i64,
    pub name: String,
    description: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    member_count: u32,
    project_count: u32,
    /// The caller's: `admin`, `editor` or `viewer`.
    user_role: &'static str,
    /// It requires a second factor that the caller has not signed in with: nothing else of it is shown.
    second_factor_required: bool,
}

/// A member.
#[derive(Serialize, ToSchema)]
pub struct Member {
    /// The person's id.
    id: i64,
    email: String,
    username: String,
    role: &'static str,
    #[schema(format = DateTime)]
    joined_at: String,
    /// For admins.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
}

/// What only admins see of a member.
#[derive(Serialize, ToSchema)]
pub struct Account {
    #[schema(format = DateTime)]
    last_login: Option<String>,
    is_active: bool,
}

/// An invitation that waits for its answer.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    #[schema(value_type = String)]
    id: Uuid,
    email: String,
    role: &'static str,
    status: &'static str,
    inviter_name: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.id.get(),
            name: row.name,
            description: row.description,
            created_at: row.created_at.iso(),
            updated_at: row.updated_at.iso(),
            member_count: row.member_count,
            project_count: row.project_count,
            user_role: row.role.name(),
            second_factor_required: row.is_closed,
        }
    }
}

impl Member {
    /// A member as somebody with this role sees it.
    pub fn seen_by(role: Role, row: MemberRow) -> Self {
        let account = Account {
            last_login: row.last_login.map(keynest_domain::Timestamp::iso),
            is_active: row.is_active,
        };
        Self {
            id: row.user.get(),
            email: row.email,
            username: row.username,
            role: row.role.name(),
            joined_at: row.joined_at.iso(),
            account: (role == Role::Admin).then_some(account),
        }
    }
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: row.id.get(),
            email: row.email,
            role: row.role.name(),
            status: "pending",
            inviter_name: row.inviter_name,
            created_at: row.created_at.iso(),
            expires_at: row.expires_at.iso(),
        }
    }
}
