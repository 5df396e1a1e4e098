//! Who saw values, and who was refused.

mod record_refusal;
mod reveal;

pub(crate) use record_refusal::Refusals;
pub use record_refusal::{REFUSAL_WINDOW, REFUSALS_HELD_MAX, Refusal};
pub use reveal::{Export, Read, Revealed};
