//! From named values to a type, with every bad field reported, not just the first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use crate::Problem;
use crate::problem::WHOLE_BODY;

use super::stand_in::StandIn;

/// Bad fields that one answer names at most.
const FIELDS_MAX: usize = 32;
const MISSING: &str = "This field is required.";

/// A named value, from a body or from a query string.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// From JSON, with its type.
    Json(&'a Value),
    /// From a query string: numbers and yes or no are read from the text.
    Text(&'a str),
}

/// What is wrong, and with which field.
#[derive(Debug)]
pub struct Fault {
    field: Option<String>,
    message: String,
}

/// Makes a `T` of the values. A field that fails is noted and then replaced by a stand-in of whatever type is
/// asked for, so that the next bad field shows as well.
pub fn read<T: DeserializeOwned>(given: &BTreeMap<&str, Given<'_>>) -> Result<T, Problem> {
    let mut faults: Vec<(String, String)> = Vec::new();
    let mut replaced = BTreeSet::new();
    while faults.len() < FIELDS_MAX {
        match T::deserialize(Fields { given, replaced: &replaced }) {
            Ok(value) if faults.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(Fault { field, message }) => {
                let field = field.unwrap_or_else(|| WHOLE_BODY.to_owned());
                if !replaced.insert(field.clone()) {
                    break;
                }
                faults.push((field, message));
            }
        }
    }
    Err(Problem::validation(faults))
}

struct Fields<'a> {
    given: &'a BTreeMap<&'a str, Given<'a>>,
    replaced: &'a BTreeSet<String>,
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let given = self.given.iter().map(|(name, value)| (*name, Some(*value)));
        let given = given.filter(|(name, _)| !self.replaced.contains(*name));
        let stand_ins = self.replaced.iter().map(|name| (name.as_str(), None));
        visitor.visit_map(Members { rest: given.chain(stand_ins), current: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Members<'a, I> {
    rest: I,
    current: Option<(&'a str, Option<Given<'a>>)>,
}

impl<'de, I: Iterator<Item = (&'de str, Option<Given<'de>>)>> MapAccess<'de> for Members<'de, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.rest.next();
        let key = self.current.map(|(name, _)| StrDeserializer::<Fault>::new(name));
        key.map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) =
            self.current.take().ok_or_else(|| Fault::custom("a value without a key"))?;
        let result = match value {
            Some(Given::Json(value)) => {
                seed.deserialize(value).map_err(|error| Fault::custom(told(value, &error)))
            }
            Some(Given::Text(text)) => seed.deserialize(TextValue(text)),
            None => seed.deserialize(StandIn),
        };
        result.map_err(|fault| Fault { field: Some(name.to_owned()), ..fault })
    }
}

/// The message of `serde_json` quotes the value; a value may be a secret, so only its kind is told.
fn told(value: &Value, error: &serde_json::Error) -> String {
    let kind = match value {
        Value::Null => return "This field may not be null.".to_owned(),
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let text = error.to_string();
    // From the right: the value in front may hold these words as well.
    match text.rsplit_once(", expected ") {
        Some((_, expected)) if text.starts_with("unknown variant") => {
            format!("Not valid: expected {expected}.")
        }
        Some((_, expected)) => format!("Not valid: expected {expected}, not {kind}."),
        // Written by a `Deserialize` of this project, or about a member inside.
        None => format!("Not valid: {text}."),
    }
}

/// A value of a query string.
struct TextValue<'a>(&'a str);

macro_rules! from_text {
    ($($method:ident $visit:ident $expected:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let value = self.0.parse().map_err(|_| Fault::custom(concat!("Not valid: expected ", $expected, ".")))?;
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for TextValue<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    from_text! {
        deserialize_bool visit_bool "true or false",
        deserialize_i8 visit_i8 "a whole number",
        deserialize_i16 visit_i16 "a whole number",
        deserialize_i32 visit_i32 "a whole number",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_u8 visit_u8 "a whole number",
        deserialize_u16 visit_u16 "a whole number",
        deserialize_u32 visit_u32 "a whole number",
        deserialize_u64 visit_u64 "a whole number",
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { field: None, message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { field: Some(field.to_owned()), message: MISSING.to_owned() }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self { field: Some(field.to_owned()), message: "This field is not known.".to_owned() }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("Not valid: expected `{}`.", expected.join("` or `")))
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(&self.message)
    }
}
