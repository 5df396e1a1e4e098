//! What this server can do, as `config/` lists it (CONTRACT 2.7).

use serde::Serialize;
use utoipa::ToSchema;

/// What this server can do.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigFeatures)]
pub struct Features {
    registration: bool,
    email_verification: bool,
    password_reset: bool,
    organizations: bool,
    projects: bool,
    environments: bool,
    variables: bool,
    invitations: bool,
    notifications: bool,
    audit_logging: bool,
    file_export: [&'static str; 3],
    file_import: [&'static str; 3],
}

impl Default for Features {
    fn default() -> Self {
        Self {
            registration: true,
            email_verification: true,
            password_reset: true,
            organizations: true,
            projects: true,
            environments: true,
            variables: true,
            invitations: true,
            notifications: true,
            audit_logging: true,
            file_export: ["env", "json", "yaml"],
            file_import: ["env", "json", "yaml"],
        }
    }
}
