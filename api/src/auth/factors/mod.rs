//! The caller's second factors: apps, passkeys, recovery codes.

pub mod enrol_passkey;
pub mod enrol_totp;
pub mod list_factors;
pub mod recovery_codes;
pub mod remove_factor;

use keynest_commands::user::factors::{Enrolled, RecoveryCodes};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;

/// The routes of this folder; all for somebody who is signed in.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_factors::handle))
        .routes(routes!(enrol_totp::begin))
        .routes(routes!(enrol_totp::confirm))
        .routes(routes!(enrol_passkey::begin))
        .routes(routes!(enrol_passkey::finish))
        .routes(routes!(recovery_codes::handle))
        .routes(routes!(remove_factor::handle))
}

/// A factor that counts from now on.
#[derive(Serialize, ToSchema)]
#[schema(as = FactorEnrolled)]
pub struct EnrolledAnswer {
    #[schema(value_type = String)]
    id: Uuid,
    /// Shown this once, with the first factor; null otherwise, and when the request is repeated.
    #[schema(value_type = Option<Vec<String>>)]
    recovery_codes: Option<Vec<String>>,
}

impl From<Enrolled> for EnrolledAnswer {
    fn from(enrolled: Enrolled) -> Self {
        let recovery_codes = enrolled.recovery_codes.map(shown);
        Self { id: enrolled.factor.get(), recovery_codes }
    }
}

fn shown(codes: RecoveryCodes) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}
