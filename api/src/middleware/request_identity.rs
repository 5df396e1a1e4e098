//! The id of a request: the caller's, if it is harmless, else a new one.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use uuid::Uuid;

/// Taken from requests and given on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a caller that is taken, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// An extension of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestIdentity {
    /// For events: the caller's id if that is a UUID, else a new UUIDv7.
    pub id: Uuid,
    /// For answers and logs: the caller's id if there is one, else the same as `id`. Letters, digits, `.`, `_`, `-`.
    pub text: Arc<str>,
}

impl RequestIdentity {
    /// Takes the caller's id or makes a new one.
    pub fn of(headers: &HeaderMap, fresh: impl FnOnce() -> Uuid) -> Self {
        let given = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_sane(text));
        let id = given.and_then(|text| text.parse().ok()).unwrap_or_else(fresh);
        Self { id, text: given.map_or_else(|| id.to_string().into(), Arc::from) }
    }
}

fn is_sane(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=REQUEST_ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let fresh = Uuid::from_u128(7);
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, text.parse().unwrap())]);
            RequestIdentity::of(&headers, || fresh)
        };
        assert_eq!(&*of("abc-1.2_3").text, "abc-1.2_3");
        assert_eq!(of("abc-1.2_3").id, fresh);
        assert_eq!(of("01890000-0000-7000-8000-000000000000").id.get_version_num(), 7);
        for bad in ["", "a b", "<x>", "a\tb", &"x".repeat(65)] {
            assert_eq!(*of(bad).text, fresh.to_string(), "{bad:?}");
        }
    }
}
