//! Pages of the API itself: behind mailed links while no frontend is configured, and the development mailbox.
//! Opening a page changes nothing; only a button's POST uses a link (DESIGN 9).

mod accept_invitation;
mod activate;
mod cancel_email;
mod confirm_email;
mod layout;
mod mailbox;
mod reset_password;
pub mod signed_in_elsewhere;
mod undo_email;

use axum::Router;
use axum::routing::get;

use crate::App;

pub use mailbox::{DevMail, DevMailbox, MailboxError};

/// All pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/activate/{uid}/{token}/", get(activate::show).post(activate::submit))
        .route(
            "/reset-password/{uid}/{token}/",
            get(reset_password::show).post(reset_password::submit),
        )
        .route(
            "/accept-invitation/{token}/",
            get(accept_invitation::show).post(accept_invitation::submit),
        )
        .route(
            "/confirm-email/{uid}/{token}/",
            get(confirm_email::show).post(confirm_email::submit),
        )
        .route("/cancel-email/{uid}/{token}/", get(cancel_email::show).post(cancel_email::submit))
        .route("/undo-email/{uid}/{token}/", get(undo_email::show).post(undo_email::submit))
        .route("/assets/page.css", get(layout::stylesheet))
        .route("/dev/mailbox/", get(mailbox::list))
        .route("/dev/mailbox/latest/", get(mailbox::latest))
        .route("/dev/mailbox/{id}/", get(mailbox::show))
        .route("/dev/mailbox/{id}/html/", get(mailbox::html))
}
