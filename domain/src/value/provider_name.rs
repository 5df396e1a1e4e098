//! The name of an identity provider, as addresses and claims have it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// 2 to 32 lower-case letters, digits and hyphens, a letter first. Not personal, so it prints.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(String);

impl ProviderName {
    /// Checks length and characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins_well || !(2..=32).contains(&text.len()) || !text.chars().all(is_fine) {
            let why = "A provider's name has 2 to 32 lower-case letters, digits and hyphens.";
            return Err(Invalid::new("invalid_characters", why));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_path() {
        assert_eq!(ProviderName::parse("my-idp2").unwrap().as_str(), "my-idp2");
        for text in ["", "a", "Google", "a/b", "../a", "1a", "-a", "ä-b", &"a".repeat(33)] {
            assert!(ProviderName::parse(text).is_err(), "{text}");
        }
    }
}
