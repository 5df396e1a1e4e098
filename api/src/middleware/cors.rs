//! CORS from an exact list of origins, on every answer (R17, THREATS A19). Nothing for foreign origins or `null`.

use std::collections::HashSet;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};

const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, Accept-Language, Cache-Control, Pragma, If-Modified-Since, \
     X-Requested-With, X-Request-Id, Idempotency-Key, KeyNest-Min-Position, \
     Last-Event-ID",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "KeyNest-Position, KeyNest-Visible, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset, X-RateLimit-Window, Retry-After, X-Request-Id, Content-Disposition, X-API-Version, \
     X-Response-Time, X-Timestamp, X-Decryption-Warnings",
);
/// How long a browser may keep a preflight's answer, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// An entry of the list is not an origin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an origin like https://app.example or http://localhost:3000")]
pub struct OriginError(String);

/// The origins that may read answers.
#[derive(Clone, Debug, Default)]
pub struct CorsOrigins(HashSet<HeaderValue>);

impl CorsOrigins {
    /// Checks that each is `http(s)://host[:port]`, in lower case and without a path, as browsers send it.
    pub fn parse<T: AsRef<str>>(origins: impl IntoIterator<Item = T>) -> Result<Self, OriginError> {
        origins.into_iter().map(|origin| parse(origin.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is a preflight, which no route is asked for.
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The one origin of a request, if it is on the list.
    pub fn known(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let (origin, None) = (origins.next()?, origins.next()) else { return None };
        self.0.get(origin).cloned()
    }

    /// Sets the headers of an answer to a request from `origin`, as [`Self::known`] found it.
    pub fn set(origin: Option<HeaderValue>, is_preflight: bool, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

fn parse(origin: &str) -> Result<HeaderValue, OriginError> {
    let bad = || OriginError(origin.to_owned());
    let uri: Uri = origin.parse().map_err(|_| bad())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(bad());
    };
    let is_exact = matches!(scheme, "http" | "https")
        && format!("{scheme}://{authority}") == origin
        && !origin.contains(['@', '*'])
        && !origin.contains(char::is_uppercase);
    if is_exact { HeaderValue::from_str(origin).map_err(|_| bad()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_origins_are_taken_into_the_list() {
        for (origin, is_good) in [
            ("http://localhost:3000", true),
            ("https://app.example", true),
            ("https://app.example/", false),
            ("https://App.example", false),
            ("https://*.example", false),
            ("*", false),
            ("null", false),
            ("app.example", false),
            ("ftp://app.example", false),
            ("https://u@app.example", false),
        ] {
            assert_eq!(CorsOrigins::parse([origin]).is_ok(), is_good, "{origin}");
        }
    }
}
