//! Accounts, sessions and sign-in under `/api/auth/`.

mod account;
pub(crate) mod activate;
mod answer_challenge;
pub(crate) mod change_email;
mod change_password;
mod config;
mod ended_tokens;
mod endpoints;
mod even;
mod factors;
pub(crate) mod faults;
mod features;
mod identities;
mod issuers;
mod jwks;
mod login;
mod logout;
mod oauth;
mod passkey_sign_in;
mod password_reset;
pub(crate) mod password_reset_confirm;
mod personal_tokens;
mod present;
mod profile;
mod reauthenticate;
mod refresh_token;
mod register;
mod resend_activation;
mod revocation;
mod revoked;
mod sessions;
mod shape;
mod status;
mod token_exchange;
mod tokens;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::throttle::Throttle;

pub use issuers::Issuers;
pub use oauth::browser_router;
pub(crate) use present::{present, stand};
pub use revocation::Revocations;

/// The routes of this folder. Each throttle counts per route, so that none shares its budget (D33).
pub fn router(throttle: &Throttle) -> OpenApiRouter<App> {
    let attempts = OpenApiRouter::new()
        .routes(routes!(login::handle))
        .routes(routes!(answer_challenge::handle))
        .routes(routes!(passkey_sign_in::begin))
        .routes(routes!(passkey_sign_in::finish))
        .routes(routes!(activate::handle))
        .routes(routes!(resend_activation::handle))
        .routes(routes!(password_reset_confirm::handle))
        .routes(routes!(change_email::confirm))
        .routes(routes!(change_email::cancel))
        .routes(routes!(change_email::undo))
        .route_layer(throttle.auth());
    let register = OpenApiRouter::new()
        .routes(routes!(register::handle))
        .route_layer(throttle.register())
        .route_layer(throttle.auth());
    let reset = OpenApiRouter::new()
        .routes(routes!(password_reset::handle))
        .route_layer(throttle.password_reset())
        .route_layer(throttle.auth());
    let public = OpenApiRouter::new()
        .routes(routes!(refresh_token::handle))
        .routes(routes!(logout::handle))
        .routes(routes!(status::handle))
        .routes(routes!(config::handle))
        .routes(routes!(token_exchange::handle))
        .route_layer(throttle.anonymous());
    let signed_in = OpenApiRouter::new()
        .routes(routes!(profile::show, profile::update, profile::replace))
        .routes(routes!(change_password::handle))
        .routes(routes!(change_email::request, change_email::give_up))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(account::erase_account::handle))
        .routes(routes!(account::deactivate_account::handle))
        .routes(routes!(account::export_account::handle))
        .routes(routes!(reauthenticate::begin))
        .routes(routes!(reauthenticate::handle))
        .merge(factors::router())
        .merge(personal_tokens::router());
    attempts
        .merge(register)
        .merge(reset)
        .merge(public)
        .merge(signed_in)
        .merge(oauth::router(throttle))
        .merge(identities::router())
}

/// Routes that have a place of their own by convention.
pub fn well_known_router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(jwks::handle))
}
