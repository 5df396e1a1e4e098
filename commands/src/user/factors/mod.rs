//! Second factors: apps and passkeys enrolled and removed, recovery codes.

mod enrol_passkey;
mod enrol_totp;
mod recovery_codes;
mod remove;
mod reset;

use keynest_domain::FactorId;

pub use enrol_totp::TotpOffer;
pub use recovery_codes::RecoveryCodes;

/// What an enrolment gives.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The factor from now on.
    pub factor: FactorId,
    /// Shown this once, if the enrolment made them.
    pub recovery_codes: Option<RecoveryCodes>,
}
