//! Refusals of the guard: answered on the raw stream, since no request was made of these bytes.

use std::fmt::Write;

use crate::Problem;
use crate::middleware::FIXED_HEADERS;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not the HTTP that is spoken here: 400.
    BadRequest(&'static str),
    /// The head is too long or has too many fields: 431.
    HeadTooLarge,
    /// The head did not come in time: 408.
    HeadTooSlow,
    /// A body whose framing breaks: its request runs already and gets to answer.
    BrokenBody,
}

impl Refusal {
    /// The whole answer, after which the connection is closed.
    pub fn answer(self) -> Vec<u8> {
        let problem = match self {
            Self::BadRequest(why) => Problem::new("bad_request").detail(why),
            Self::HeadTooLarge => Problem::new("header_too_large"),
            Self::HeadTooSlow => Problem::new("header_too_slow"),
            Self::BrokenBody => Problem::new("invalid_body"),
        };
        let body = problem.body(None, None).to_string();
        let status = problem.status();
        tracing::info!(
            status = status.as_u16(),
            code = problem.code(),
            "connection refused before any route"
        );
        let reason = status.canonical_reason().unwrap_or_default();
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str());
        for (name, value) in FIXED_HEADERS {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(
            head,
            "content-type: application/problem+json\r\ncontent-length: {}\r\n",
            body.len()
        );
        head.push_str("connection: close\r\n\r\n");
        head.push_str(&body);
        head.into_bytes()
    }
}
