//! What callers wrote, on its way to domain values: every bad field is named, not just the first.

use std::fmt;

use keynest_domain::{Description, Invalid};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::Problem;
use crate::extract::Text;

/// An id as clients write it: a number, or its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub i64);

/// The fields that break a rule.
#[derive(Default)]
pub struct Check(Vec<(&'static str, String)>);

impl Check {
    /// A field by its rule; `None` once it is noted as bad.
    pub fn field<T>(
        &mut self,
        name: &'static str,
        text: &Text,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.kept(name, parse(&text.0))
    }

    /// A field that may be absent.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        text: Option<&Text>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.field(name, text, parse))
    }

    /// A description that may be absent or null.
    pub fn description(&mut self, text: &Option<Option<Text>>) -> Option<Option<Description>> {
        match text {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) => self.field("description", text, Description::parse).map(Some),
        }
    }

    /// Notes a bad field.
    pub fn fail(&mut self, name: &'static str, message: impl Into<String>) {
        self.0.push((name, message.into()));
    }

    /// The outcome of a rule, noted if it is bad.
    pub fn kept<T>(&mut self, name: &'static str, outcome: Result<T, Invalid>) -> Option<T> {
        outcome.map_err(|why| self.fail(name, why.message)).ok()
    }

    /// The wish, unless a field is bad.
    pub fn done<T>(self, wish: Option<T>) -> Result<T, Problem> {
        match wish {
            Some(wish) if self.0.is_empty() => Ok(wish),
            Some(_) | None => Err(Problem::validation(self.0)),
        }
    }
}

/// Tells null from absent: `None` is absent, `Some(None)` is null.
pub fn nullable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Text>>, D::Error> {
    Option::<Text>::deserialize(from).map(Some)
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, id: i64) -> Result<Id, E> {
        Ok(Id(id))
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<Id, E> {
        i64::try_from(id).map(Id).map_err(|_| E::custom("too large a number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
        // The extractor puts an empty text in place of a field that it has named as bad already.
        if text.is_empty() {
            return Ok(Id(0));
        }
        text.trim().parse().map(Id).map_err(|_| E::custom("expected a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_or_their_digits() {
        for (json, id) in [("7", 7), ("\"7\"", 7), ("9007199254740991", 9_007_199_254_740_991)] {
            assert_eq!(serde_json::from_str::<Id>(json).unwrap(), Id(id), "{json}");
        }
        for json in ["\"x\"", "1.5", "null", "true", "[]", "99999999999999999999"] {
            assert!(serde_json::from_str::<Id>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        let mut check = Check::default();
        let bad = || Err::<(), _>(Invalid::new("blank", "No."));
        check.kept("name", bad());
        check.kept("description", bad());
        let details = check.done(Some(())).unwrap_err().body(None, None)["details"].clone();
        assert_eq!(details, serde_json::json!({"description": ["No."], "name": ["No."]}));
    }
}
