//! Values that are never shown: not by `keynest config`, not in errors, not in logs.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What is shown in the place of a secret; the contract's own mask.
const MASK: &str = "[HIDDEN]";

/// A secret text; empty when it is not set. Debug and serialisation show only whether it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself, if there is one.
    #[must_use]
    pub fn reveal(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }

    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { MASK } else { "(not set)" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_set() { MASK } else { "" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A URL that may carry a password; empty when it is not set. Shown without user, password and parameters.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(Secret);

impl SecretUrl {
    /// The whole URL, if there is one.
    #[must_use]
    pub fn reveal(&self) -> Option<&str> {
        self.0.reveal()
    }

    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// `scheme://[HIDDEN]@host:port/path`, or only the mask when it has no such shape.
    fn masked(&self) -> String {
        let Some(url) = self.reveal() else { return String::new() };
        let without_parameters = url.split(['?', '#']).next().unwrap_or_default();
        match without_parameters.split_once("://") {
            // The last `@`: a password that was not encoded may hold others.
            Some((scheme, rest)) => match rest.rsplit_once('@') {
                Some((_, place)) => format!("{scheme}://{MASK}@{place}"),
                None => format!("{scheme}://{rest}"),
            },
            None => MASK.to_owned(),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        SecretUrl(Secret(Zeroizing::new(url.to_owned()))).masked()
    }

    #[test]
    fn a_url_is_shown_without_what_opens_the_door() {
        assert_eq!(
            shown("postgres://me:pw@db:5432/keynest?password=x"),
            "postgres://[HIDDEN]@db:5432/keynest"
        );
        assert_eq!(shown("smtp://a:p@ss@mail"), "smtp://[HIDDEN]@mail");
        assert_eq!(shown("smtps://mail:465"), "smtps://mail:465");
        assert_eq!(shown("host=db password=pw"), "[HIDDEN]");
        assert_eq!(shown("a:p/q?@x"), "[HIDDEN]");
    }

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        assert_eq!(format!("{:?}", Secret(Zeroizing::new("canary".into()))), "[HIDDEN]");
    }
}
