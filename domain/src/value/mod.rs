//! Value types: valid by construction, parsed at the edge.

mod address_rules;
mod email;
mod id;
pub mod moment;
mod name;
mod provider_name;
mod sealed;
mod subject;
mod timestamp;
mod variable_key;
mod visit;

pub use address_rules::{
    ADDRESS_RANGES_MAX, AddressMode, AddressRules, AddressVerdict, parse_range,
};
pub use email::{EMAIL_BYTES_MAX, Email};
pub use id::*;
pub use name::*;
pub use provider_name::ProviderName;
pub use sealed::{LinkNonce, Sealed};
pub use subject::Subject;
pub use timestamp::{Lifetime, Timestamp};
pub use variable_key::{VARIABLE_KEY_MAX, VariableKey};
pub use visit::{Meter, Visit};

/// Why a text is not a valid value: a sentence for people and the rule's stable code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Stable, snake case: `too_short`, `invalid_characters`.
    pub code: &'static str,
    /// For people: a sentence with a full stop, shown as it is beside the field.
    pub message: String,
}

impl Invalid {
    /// A rule's code and its sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
