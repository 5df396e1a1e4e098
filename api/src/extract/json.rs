//! Bodies in JSON: bounded, strict, and refused with the names of the bad fields.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fields::{self, Given};
use super::strict_json;
use crate::Problem;
use crate::problem::WHOLE_BODY;
use crate::server::read_body;

/// A body in JSON, in or out. Unknown fields are ignored: the frontend sends some (CONTRACT 1.2), none is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

/// A body in JSON, or none at all, which is then `T::default()` (R8).
#[derive(Clone, Copy, Debug, Default)]
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        require_json(&parts.headers)?;
        decode(&read_body(body).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&parts.headers)?;
        decode(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Reads a JSON text that came another way, with the same rules.
pub fn decode<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    let value = strict_json::parse(bytes).map_err(|error| {
        let place = format!("Line {}, column {}: ", error.line(), error.column());
        // serde_json's texts on syntax name no part of the body.
        Problem::new("invalid_json").detail(format!("{place}{}", reason(&error)))
    })?;
    let Value::Object(object) = &value else {
        return Err(Problem::validation([(WHOLE_BODY, "Expected an object.")]));
    };
    let given: BTreeMap<&str, Given<'_>> =
        object.iter().map(|(name, value)| (name.as_str(), Given::Json(value))).collect();
    fields::read(&given)
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

/// `application/json` or `application/…+json`, in UTF-8.
fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json = media == "application/json"
        || (media.starts_with("application/") && media.ends_with("+json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    });
    let has_one = headers.get_all(CONTENT_TYPE).iter().count() == 1;
    if is_json && is_utf8 && has_one { Ok(()) } else { Err(Problem::new("unsupported_media_type")) }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::extract::Text;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wish {
        email: String,
        role: Role,
        organization: i64,
        description: Option<Text>,
        #[serde(default)]
        tags: Vec<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Role {
        Admin,
        Viewer,
    }

    fn details(text: &str) -> Value {
        decode::<Wish>(&Bytes::from(text.to_owned())).unwrap_err().body(None, None)["details"]
            .clone()
    }

    #[test]
    fn a_good_body_is_read_and_unknown_fields_are_ignored() {
        let text = r#"{"email":"a@b","role":"viewer","organization":7,"description":12,"provider":{"x":1}}"#;
        let wish: Wish = decode(&Bytes::from(text)).unwrap();
        assert_eq!((wish.role, wish.organization, wish.tags.len()), (Role::Viewer, 7, 0));
        assert_eq!(wish.description.unwrap().0, "12");
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let found = details(r#"{"role":"king","organization":"7","tags":3}"#);
        assert_eq!(found["email"], json!(["This field is required."]));
        assert_eq!(found["organization"], json!(["Not valid: expected i64, not a string."]));
        assert_eq!(found["tags"], json!(["Not valid: expected a sequence, not a number."]));
        assert_eq!(found["role"], json!(["Not valid: expected `admin` or `viewer`."]));
        assert_eq!(found.as_object().unwrap().len(), 4);
    }

    #[test]
    fn a_refused_value_is_never_repeated() {
        let found = details(
            r#"{"email":["hunter2"],"role":"hunter2","organization":"x, expected hunter2"}"#,
        );
        assert!(!found.to_string().contains("hunter2"), "{found}");
    }

    #[test]
    fn only_json_in_utf8_is_taken() {
        for (value, is_good) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/merge-patch+json", true),
            ("application/json; charset=latin1", false),
            ("text/json", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(require_json(&headers).is_ok(), is_good, "{value}");
        }
    }
}
