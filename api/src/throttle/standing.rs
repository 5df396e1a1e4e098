//! How a caller stands with a policy, and the headers that say so.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The counters of one policy after a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Name of the policy.
    pub policy: &'static str,
    /// Requests in a window.
    pub quota: u32,
    /// The window, in seconds.
    pub window: u32,
    /// Requests that may be made at once.
    pub remaining: u32,
    /// Until there is one more, in seconds, rounded up.
    pub reset: u32,
}

/// Sets `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) for all policies, and the
/// older `X-RateLimit-…` for the one with the least left; `X-RateLimit-Reset` is in epoch seconds.
pub fn set_headers(standings: &[Standing], now: i64, headers: &mut HeaderMap) {
    let Some(tightest) = standings.iter().min_by_key(|standing| standing.remaining) else { return };
    let (mut policies, mut limits) = (String::new(), String::new());
    for Standing { policy, quota, window, remaining, reset } in standings {
        let separator = if policies.is_empty() { "" } else { ", " };
        let _ = write!(policies, "{separator}\"{policy}\";q={quota};w={window}");
        let _ = write!(limits, "{separator}\"{policy}\";r={remaining};t={reset}");
    }
    let reset = now.saturating_add(i64::from(tightest.reset));
    for (name, value) in [
        ("ratelimit-policy", policies),
        ("ratelimit", limits),
        ("x-ratelimit-limit", tightest.quota.to_string()),
        ("x-ratelimit-remaining", tightest.remaining.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-window", tightest.window.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_policies_are_listed_and_the_tightest_is_told_in_the_older_fields() {
        let auth = Standing { policy: "auth", quota: 5, window: 60, remaining: 4, reset: 12 };
        let user =
            Standing { policy: "user", quota: 1_000, window: 3_600, remaining: 999, reset: 4 };
        let mut headers = HeaderMap::new();
        set_headers(&[user, auth], 1_000, &mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"user\";q=1000;w=3600, \"auth\";q=5;w=60");
        assert_eq!(headers["ratelimit"], "\"user\";r=999;t=4, \"auth\";r=4;t=12");
        assert_eq!(headers["x-ratelimit-limit"], "5");
        assert_eq!(headers["x-ratelimit-remaining"], "4");
        assert_eq!(headers["x-ratelimit-reset"], "1012");
        assert_eq!(headers["x-ratelimit-window"], "60");
    }
}
