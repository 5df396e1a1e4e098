//! Headers that every answer carries (THREATS 1.9, CONTRACT 5.2).

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The same on every answer, also on those of the guard, which no request led to. A handler may set its own
/// `Content-Security-Policy` and `Cache-Control`. CORP does not hinder CORS: browsers check it for no-cors alone.
pub const FIXED_HEADERS: [(&str, &str); 8] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("x-api-version", crate::API_VERSION),
];

const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Sets them; HSTS only where the public URL is https (RFC 6797 section 7.2).
pub fn set(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in FIXED_HEADERS {
        let name = HeaderName::from_static(name);
        let is_handlers_choice = name == CONTENT_SECURITY_POLICY || name == CACHE_CONTROL;
        if !(is_handlers_choice && headers.contains_key(&name)) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
