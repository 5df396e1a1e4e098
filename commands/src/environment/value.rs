//! A value in clear on its way to be sealed, and the place it is sealed for.

use keynest_crypto::{Context, Subject};
use keynest_domain::environment::{Environment, VALUE_BYTES_MAX};
use keynest_domain::{Aggregate, EnvironmentId, Invalid, VariableId};
use secrecy::{ExposeSecret, SecretString};

/// What is shown in place of values; never stored (R16).
pub const MASKS: [&str; 2] = ["[HIDDEN]", "[NO_ACCESS]"];

/// A value, verbatim: never trimmed, possibly empty, at most 64 KiB. Does not print, is zeroed.
#[derive(Clone, Debug)]
pub struct VariableValue(SecretString);

impl VariableValue {
    /// Checks the size, and that it is not what is shown in place of a value. No file holds a NUL, and no process
    /// receives one in its environment.
    pub fn parse(text: impl Into<SecretString>) -> Result<Self, Invalid> {
        let value = Self(text.into());
        let text = value.0.expose_secret();
        if Self::is_mask(text) {
            let message = "A value that only stands for a hidden one cannot be stored.";
            return Err(Invalid::new("mask_literal", message));
        }
        if text.contains('\0') {
            return Err(Invalid::new("nul", "Null characters are not allowed."));
        }
        if text.len() > VALUE_BYTES_MAX {
            let message = format!("Ensure this field has no more than {VALUE_BYTES_MAX} bytes.");
            return Err(Invalid::new("too_long", message));
        }
        Ok(value)
    }

    /// Whether a text is what is shown in place of a value.
    pub fn is_mask(text: &str) -> bool {
        MASKS.contains(&text)
    }

    /// The text, for sealing and for its author.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The one place where a version of a value opens; the same for created, changed and imported ones.
pub fn value_context(environment: EnvironmentId, variable: VariableId, version: u32) -> Context {
    let stream = Environment::stream(environment);
    let field = format!("{variable}/{version}");
    Context::new(Subject::Environment(environment), stream, "variable", field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_verbatim_up_to_64_kib() {
        for text in ["", " a\r\n", "$(x)", "metadata:5432", "drop table x"] {
            assert_eq!(VariableValue::parse(text.to_owned()).unwrap().expose(), text);
        }
        assert!(VariableValue::parse("x".repeat(VALUE_BYTES_MAX)).is_ok());
        let long = VariableValue::parse("x".repeat(VALUE_BYTES_MAX + 1));
        assert_eq!(long.unwrap_err().code, "too_long");
        assert_eq!(VariableValue::parse("a\0b".to_owned()).unwrap_err().code, "nul");
    }

    #[test]
    fn masks_are_never_values_and_values_do_not_print() {
        for mask in MASKS {
            assert_eq!(VariableValue::parse(mask.to_owned()).unwrap_err().code, "mask_literal");
        }
        let value = VariableValue::parse("hunter2".to_owned()).unwrap();
        assert!(!format!("{value:?}").contains("hunter2"));
    }
}
