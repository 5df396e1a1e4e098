//! Who did what, on what, when, from where.

mod list_audit_log;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(crate) use list_audit_log::AuditLog;

/// The route of the audit log.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_audit_log::handle))
}
