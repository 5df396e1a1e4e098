//! Accounts: registration, activation, profile, password, standing.

mod activate;
mod administrator;
mod cancel_email_change;
mod change_password;
mod confirm_email_change;
mod confirm_password_reset;
mod create_token;
mod deactivate;
mod erase;
mod export;
pub mod factors;
mod history;
mod mailed_link;
mod names;
mod register;
mod request_email_change;
mod request_password_reset;
mod resend_activation;
mod revoke_token;
mod switch_notices;
mod undo_email_change;
mod update_profile;

pub use activate::Activate;
pub use change_password::ChangePassword;
pub use confirm_email_change::ConfirmEmailChange;
pub use confirm_password_reset::ConfirmPasswordReset;
pub use create_token::CreateToken;
pub use erase::{EraseUser, FOOTPRINT_MAX, Footprint, RELEASED_MAX, farewell_context};
pub use history::{HISTORY_MAX, PendingEmail, Remembered};
pub use register::Register;
pub(crate) use register::{owner_of, stage_personal_organization};
pub use request_email_change::RequestEmailChange;
pub use update_profile::UpdateProfile;
