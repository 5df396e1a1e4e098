//! Teams, their members and invitations.

mod address_rules;
mod create_organization;
mod delete_organization;
mod invite_member;
mod list_invitations;
mod list_members;
mod list_organizations;
mod read_organization;
mod remove_member;
mod revoke_invitation;
mod security;
mod shape;
mod update_member_role;
mod update_organization;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// The routes of organizations.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_organizations::handle, create_organization::handle))
        .routes(routes!(
            read_organization::handle,
            update_organization::patch,
            update_organization::put,
            delete_organization::handle
        ))
        .routes(routes!(security::show, security::change))
        .routes(routes!(address_rules::show, address_rules::replace))
        .routes(routes!(list_members::handle))
        .routes(routes!(invite_member::handle))
        .routes(routes!(update_member_role::handle))
        .routes(routes!(remove_member::handle))
        .routes(routes!(list_invitations::handle))
        .routes(routes!(revoke_invitation::handle))
}
