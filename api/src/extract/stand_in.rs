//! A value of whatever type is asked for, to get past a field that is already known to be bad.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer, UnitDeserializer};
use serde::de::{Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

use super::fields::Fault;

/// Deserializes into the smallest value of any type.
pub struct StandIn;

macro_rules! smallest {
    ($($method:ident $visit:ident $value:expr,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for StandIn {
    type Error = Fault;

    smallest! {
        deserialize_any visit_str "",
        deserialize_bool visit_bool false,
        deserialize_i64 visit_i64 1,
        deserialize_i32 visit_i32 1,
        deserialize_u64 visit_u64 1,
        deserialize_u32 visit_u32 1,
        deserialize_u16 visit_u16 1,
        deserialize_u8 visit_u8 1,
        deserialize_f64 visit_f64 1.0,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(SeqDeserializer::<_, Fault>::new(std::iter::empty::<
            UnitDeserializer<Fault>,
        >()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(MapDeserializer::<_, Fault>::new(std::iter::empty::<((), ())>()))
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
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let first = variants.first().ok_or_else(|| Fault::custom("no variant"))?;
        visitor.visit_enum(StrDeserializer::new(first))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct struct identifier
        ignored_any
    }
}
