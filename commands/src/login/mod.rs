//! Signing in: the password, the lock, the known device.

mod answer_challenge;
mod device;
mod log_in;
mod open_session;
mod passkey_sign_in;
mod second_factor;
mod sign_in;
mod spraying;
mod ticket;

use keynest_crypto::Keyring;
use keynest_domain::{LoginId, UserId};

pub use device::KNOWN_FOR;
pub(crate) use device::{claim_device, notice_device};
pub use log_in::LogIn;
pub(crate) use open_session::{Opened, open_session, opened};
pub use second_factor::Answer;
pub(crate) use second_factor::proved;
pub use sign_in::{Ceremony, Challenge, SignIn};
pub(crate) use spraying::Spraying;
pub use spraying::{SPRAYING_ACCOUNTS, SPRAYING_WINDOW};
pub(crate) use ticket::{Ticket, TicketKind};

/// A login stream of its own for something else than an address alone.
pub(crate) fn login_id(keyring: &Keyring, kind: &str, text: &str) -> LoginId {
    let digest = keyring.digest(kind, text);
    let half = u128::from_str_radix(&digest[..32], 16).expect("a digest is 64 hexadecimal digits");
    LoginId::new(uuid::Builder::from_custom_bytes(half.to_be_bytes()).into_uuid())
}

/// Nobody's id, so that an address without an account costs the same reads as one with.
pub(crate) const NOBODY: UserId = UserId::new(0);
