//! A text that may have been written as a number (CONTRACT 1.0: numbers are coerced to strings).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Whole numbers above this do not survive in a double, so they are refused rather than changed.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A string, or a number or boolean as JSON writes it. Says nothing of itself in `Debug`: it may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl fmt::Debug for Text {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("Text(…)")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a string")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Text, E> {
        Ok(Text(value))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
        if value.abs() < DOUBLE_EXACT_MAX {
            Ok(Text(serde_json::Value::from(value).to_string()))
        } else {
            Err(E::custom("too large a number, write it as a string"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_booleans_become_the_text_that_was_written() {
        for (json, text) in [
            ("\"x\"", "x"),
            ("12", "12"),
            ("-3", "-3"),
            ("1.5", "1.5"),
            ("true", "true"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().0, text);
        }
        for json in ["null", "[]", "{}", "18446744073709551616", "1e300"] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }
}
