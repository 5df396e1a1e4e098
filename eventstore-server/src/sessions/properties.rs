//! A record's properties, read back as metadata by the first version of the protocol: a JSON object.

use std::collections::HashMap;

use bytes::Bytes;
use prost_types::Value;
use prost_types::value::Kind;
use serde_json::{Map, Value as Json};
use tonic::Status;

/// Properties within properties.
const DEPTH_MAX: usize = 16;

/// Nothing for no properties.
pub(super) fn to_json(properties: HashMap<String, Value>) -> Result<Bytes, Status> {
    if properties.is_empty() {
        return Ok(Bytes::new());
    }
    let members = object(properties, DEPTH_MAX)?;
    Ok(Bytes::from(Json::Object(members).to_string()))
}

fn object(
    properties: impl IntoIterator<Item = (String, Value)>,
    depth_left: usize,
) -> Result<Map<String, Json>, Status> {
    properties.into_iter().map(|(name, value)| Ok((name, json(value, depth_left)?))).collect()
}

fn json(value: Value, depth_left: usize) -> Result<Json, Status> {
    let too_deep = || Status::invalid_argument("properties are nested too deeply");
    let inside = depth_left.checked_sub(1).ok_or_else(too_deep)?;
    Ok(match value.kind {
        Some(Kind::StringValue(text)) => Json::String(text),
        Some(Kind::BoolValue(truth)) => Json::Bool(truth),
        Some(Kind::NumberValue(number)) => Json::from(number),
        Some(Kind::ListValue(list)) => {
            let values = list.values.into_iter().map(|value| json(value, inside));
            Json::Array(values.collect::<Result<_, _>>()?)
        }
        Some(Kind::StructValue(fields)) => Json::Object(object(fields.fields, inside)?),
        Some(Kind::NullValue(_)) | None => Json::Null,
    })
}

#[cfg(test)]
mod tests {
    use prost_types::ListValue;

    use super::*;

    fn of(kind: Kind) -> HashMap<String, Value> {
        HashMap::from([("it".to_owned(), Value { kind: Some(kind) })])
    }

    #[test]
    fn properties_are_members() {
        assert_eq!(to_json(HashMap::new()).unwrap(), "");
        assert_eq!(to_json(of(Kind::StringValue("a\"b".into()))).unwrap(), r#"{"it":"a\"b"}"#);
        assert_eq!(to_json(of(Kind::NumberValue(f64::NAN))).unwrap(), r#"{"it":null}"#);
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let nested = |depth| {
            let inner = Kind::BoolValue(true);
            let wrap =
                |kind, _| Kind::ListValue(ListValue { values: vec![Value { kind: Some(kind) }] });
            of((1..depth).fold(inner, wrap))
        };
        assert!(to_json(nested(DEPTH_MAX)).is_ok());
        assert!(to_json(nested(DEPTH_MAX + 1)).is_err());
    }
}
