//! Roles as named permission sets, and the one function that authorises (CONTRACT 4.2, DESIGN 3).

use serde::{Deserialize, Serialize};

/// A member's role in one organization (R15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Changes projects, environments and values; deletes variables only.
    Editor,
    /// Sees names and keys, never values.
    Viewer,
}

/// What a role may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the rows of CONTRACT 4.2")]
pub enum Permission {
    ViewOrganization,
    UpdateOrganization,
    DeleteOrganization,
    ViewMembers,
    ManageMembers,
    ManageServices,
    CreateProject,
    UpdateProject,
    DeleteProject,
    CreateEnvironment,
    UpdateEnvironment,
    DeleteEnvironment,
    ReadValues,
    ExportValues,
    ImportValues,
    CreateVariable,
    UpdateVariable,
    DeleteVariable,
    ViewAuditLog,
}

/// Why a caller was refused. Outsiders learn nothing of an object; members learn that their role is too weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not a member: the object does not exist for this caller.
    #[error("not a member of the organization")]
    Outsider,
    /// A member whose address the organization's rules do not let in.
    #[error("the organization does not let this address in")]
    AddressNotAllowed,
    /// A member whose role does not allow it.
    #[error("the role does not allow this")]
    RoleTooWeak,
    /// The role would allow it, the token's scope does not.
    #[error("the token's scope does not allow this")]
    ScopeTooNarrow,
    /// Only somebody who is signed in may.
    #[error("no token may do this")]
    NotForTokens,
    /// A member who has not signed in with the second factor that the organization requires.
    #[error("the organization requires a second factor")]
    SecondFactorRequired,
}

pub(crate) const EDITOR: &[Permission] = &[
    Permission::ViewOrganization,
    Permission::ViewMembers,
    Permission::CreateProject,
    Permission::UpdateProject,
    Permission::CreateEnvironment,
    Permission::UpdateEnvironment,
    Permission::ReadValues,
    Permission::ExportValues,
    Permission::ImportValues,
    Permission::CreateVariable,
    Permission::UpdateVariable,
    Permission::DeleteVariable,
    Permission::ViewAuditLog,
];
const ADMIN_ALONE: &[Permission] = &[
    Permission::UpdateOrganization,
    Permission::DeleteOrganization,
    Permission::ManageMembers,
    Permission::ManageServices,
    Permission::DeleteProject,
    Permission::DeleteEnvironment,
];
const VIEWER: &[Permission] = &[Permission::ViewOrganization, Permission::ViewMembers];

impl Role {
    /// The name in answers: `admin`, `editor`, `viewer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    /// Reads a role's name; `member` is an alias of `editor`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "admin" => Some(Self::Admin),
            "editor" | "member" => Some(Self::Editor),
            "viewer" => Some(Self::Viewer),
            _ => None,
        }
    }

    /// Whether this role's set has the permission.
    pub fn allows(self, permission: Permission) -> bool {
        match self {
            Self::Admin => EDITOR.contains(&permission) || ADMIN_ALONE.contains(&permission),
            Self::Editor => EDITOR.contains(&permission),
            Self::Viewer => VIEWER.contains(&permission),
        }
    }
}

/// The one authorisation function: default deny, `None` for somebody who is not a member.
pub fn authorize(role: Option<Role>, permission: Permission) -> Result<Role, Denied> {
    let role = role.ok_or(Denied::Outsider)?;
    if role.allows(permission) { Ok(role) } else { Err(Denied::RoleTooWeak) }
}

#[cfg(test)]
mod tests {
    use super::Permission::*;
    use super::*;

    #[test]
    fn the_matrix_is_that_of_the_contract() {
        let rows: &[(Permission, bool, bool, bool)] = &[
            (ViewOrganization, true, true, true),
            (UpdateOrganization, true, false, false),
            (DeleteOrganization, true, false, false),
            (ViewMembers, true, true, true),
            (ManageMembers, true, false, false),
            (ManageServices, true, false, false),
            (CreateProject, true, true, false),
            (UpdateProject, true, true, false),
            (DeleteProject, true, false, false),
            (CreateEnvironment, true, true, false),
            (UpdateEnvironment, true, true, false),
            (DeleteEnvironment, true, false, false),
            (ReadValues, true, true, false),
            (ExportValues, true, true, false),
            (ImportValues, true, true, false),
            (CreateVariable, true, true, false),
            (UpdateVariable, true, true, false),
            (DeleteVariable, true, true, false),
            (ViewAuditLog, true, true, false),
        ];
        for &(permission, admin, editor, viewer) in rows {
            assert_eq!(Role::Admin.allows(permission), admin, "admin {permission:?}");
            assert_eq!(Role::Editor.allows(permission), editor, "editor {permission:?}");
            assert_eq!(Role::Viewer.allows(permission), viewer, "viewer {permission:?}");
            assert_eq!(authorize(None, permission), Err(Denied::Outsider));
        }
    }

    #[test]
    fn member_is_an_alias_of_editor() {
        assert_eq!(Role::parse("member"), Some(Role::Editor));
        assert_eq!(Role::parse("owner"), None);
    }
}
