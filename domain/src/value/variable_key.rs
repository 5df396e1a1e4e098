//! Keys of variables (DESIGN 12: the same rule everywhere).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Longest key, in characters.
pub const VARIABLE_KEY_MAX: usize = 255;

/// `[A-Za-z_][A-Za-z0-9_]{0,254}`, case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VariableKey(String);

impl VariableKey {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("blank", "This field may not be blank."));
        }
        if text.len() > VARIABLE_KEY_MAX {
            return Err(Invalid::new(
                "too_long",
                format!("Ensure this field has no more than {VARIABLE_KEY_MAX} characters."),
            ));
        }
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
        if !starts || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Invalid::new(
                "invalid_characters",
                "A key starts with a letter or underscore and goes on with letters, digits and underscores.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
