//! The names of the endpoints, as `config/` and `status/` list them (CONTRACT 2.7).

use std::collections::BTreeMap;

/// Name and path, with placeholders. A test asks each of them.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("register", "/api/auth/register/"),
    ("login", "/api/auth/login/"),
    ("refresh", "/api/auth/token/refresh/"),
    ("logout", "/api/auth/logout/"),
    ("profile", "/api/auth/profile/"),
    ("activate", "/api/auth/activate/"),
    ("resend_activation", "/api/auth/activation/resend/"),
    ("password_reset", "/api/auth/password-reset/"),
    ("password_reset_confirm", "/api/auth/password-reset-confirm/"),
    ("change_password", "/api/auth/change-password/"),
    ("accept_invitation", "/api/auth/invitations/accept/"),
    ("oauth_exchange", "/api/auth/oauth/exchange/"),
    ("identities", "/api/auth/identities/"),
    ("link_identity", "/api/auth/identities/link/"),
    ("status", "/api/auth/status/"),
    ("config", "/api/auth/config/"),
    ("organizations", "/api/core/organizations/"),
    ("organization_detail", "/api/core/organizations/{id}/"),
    ("organization_members", "/api/core/organizations/{id}/members/"),
    ("invite_member", "/api/core/organizations/{id}/invite_member/"),
    ("update_member_role", "/api/core/organizations/{id}/update_member_role/"),
    ("remove_member", "/api/core/organizations/{id}/remove_member/"),
    ("projects", "/api/core/projects/"),
    ("project_detail", "/api/core/projects/{id}/"),
    ("project_environments", "/api/core/projects/{id}/environments/"),
    ("environments", "/api/core/environments/"),
    ("environment_detail", "/api/core/environments/{id}/"),
    ("environment_variables", "/api/core/environments/{id}/variables/"),
    ("environment_export", "/api/core/environments/{id}/export/"),
    ("environment_import", "/api/core/environments/{id}/import/"),
    ("variables", "/api/core/variables/"),
    ("variable_detail", "/api/core/variables/{id}/"),
    ("audit_logs", "/api/core/audit-logs/"),
];

/// Those with a prefix in their path.
pub fn under(prefix: &str) -> BTreeMap<&'static str, &'static str> {
    ENDPOINTS.iter().filter(|(_, path)| path.starts_with(prefix)).copied().collect()
}
