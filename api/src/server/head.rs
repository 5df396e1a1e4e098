//! One complete request head: is it HTTP that every proxy understands in the same way (RFC 9112, THREATS 0.5)?

use httparse::{EMPTY_HEADER, Request, Status};

use super::refusal::Refusal;

/// Most header fields that can be asked for in `ServerLimits::headers_max`.
const HEADERS_CAPACITY: usize = 128;
/// Digits of a `Content-Length`, so that it fits 63 bits.
const LENGTH_DIGITS_MAX: usize = 18;

/// How the end of the body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// So many bytes, often none.
    Sized(u64),
    /// In chunks.
    Chunked,
}

/// Checks a head that ends with its empty line.
pub fn check(
    head: &[u8],
    headers_max: usize,
    authorities: &[String],
) -> Result<BodyFraming, Refusal> {
    let mut fields = [EMPTY_HEADER; HEADERS_CAPACITY];
    let mut request = Request::new(&mut fields[..headers_max.min(HEADERS_CAPACITY)]);
    match request.parse(head) {
        Ok(Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Ok(_) | Err(_) => return Err(Refusal::BadRequest("the request head is malformed")),
    }
    let host = host(&request)?;
    target(&request, host, authorities)?;
    framing(&request)
}

fn host<'a>(request: &Request<'_, 'a>) -> Result<&'a str, Refusal> {
    let mut hosts = fields(request, "host");
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Refusal::BadRequest("exactly one Host field is required"));
    };
    authority(host).ok_or(Refusal::BadRequest("the Host field is malformed"))
}

fn authority(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let parsed: http::uri::Authority = text.parse().ok()?;
    (!parsed.host().is_empty() && !text.contains('@')).then_some(text)
}

fn target(request: &Request<'_, '_>, host: &str, authorities: &[String]) -> Result<(), Refusal> {
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok(());
    }
    let rest =
        strip_scheme(target).ok_or(Refusal::BadRequest("the request target is malformed"))?;
    let named = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_ours =
        authorities.is_empty() || authorities.iter().any(|ours| ours.eq_ignore_ascii_case(named));
    if named.eq_ignore_ascii_case(host) && is_ours {
        Ok(())
    } else {
        Err(Refusal::BadRequest("the request target names another server"))
    }
}

fn strip_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

fn framing(request: &Request<'_, '_>) -> Result<BodyFraming, Refusal> {
    let mut lengths = fields(request, "content-length");
    let mut codings = fields(request, "transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(BodyFraming::Sized(0)),
        (Some(length), None) if lengths.next().is_none() => {
            sized(length).ok_or(Refusal::BadRequest("the Content-Length is malformed"))
        }
        (Some(_), None) => Err(Refusal::BadRequest("more than one Content-Length field")),
        (None, Some(coding)) => {
            let is_chunked = coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if is_chunked && codings.next().is_none() && request.version == Some(1) {
                Ok(BodyFraming::Chunked)
            } else {
                Err(Refusal::BadRequest(
                    "the only transfer coding is chunked, and only in HTTP/1.1",
                ))
            }
        }
        (Some(_), Some(_)) => {
            Err(Refusal::BadRequest("Content-Length together with Transfer-Encoding"))
        }
    }
}

/// Digits only: no sign, no list.
fn sized(value: &[u8]) -> Option<BodyFraming> {
    let value = value.trim_ascii();
    let is_number =
        (1..=LENGTH_DIGITS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    text.parse().ok().map(BodyFraming::Sized)
}

fn fields<'r, 'a>(
    request: &'r Request<'_, 'a>,
    name: &'static str,
) -> impl Iterator<Item = &'a [u8]> + use<'r, 'a> {
    let all = &*request.headers;
    let all: Vec<&'a [u8]> = all
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
        .collect();
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(lines: &str) -> Result<BodyFraming, Refusal> {
        let head = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        check(head.as_bytes(), 100, &["api.example:8000".to_owned()])
    }

    #[test]
    fn good_heads_pass_with_their_framing() {
        for (lines, expected) in [
            ("GET / HTTP/1.1\nHost: a", BodyFraming::Sized(0)),
            ("POST / HTTP/1.1\nhost: a:1\nContent-Length: 12", BodyFraming::Sized(12)),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked", BodyFraming::Chunked),
            ("OPTIONS * HTTP/1.1\nHost: a", BodyFraming::Sized(0)),
            (
                "GET HTTP://API.example:8000/x HTTP/1.1\nHost: api.example:8000",
                BodyFraming::Sized(0),
            ),
            ("GET / HTTP/1.1\nHost: [::1]:80", BodyFraming::Sized(0)),
        ] {
            assert_eq!(verdict(lines), Ok(expected), "{lines}");
        }
    }

    #[test]
    fn dangerous_heads_are_refused() {
        for lines in [
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\nHost: a\nHost: a",
            "GET / HTTP/1.1\nHost:",
            "GET / HTTP/1.1\nHost: user@a",
            "GET / HTTP/1.1\nHost: a b",
            "GET http://evil/ HTTP/1.1\nHost: a",
            "GET http://evil/ HTTP/1.1\nHost: evil",
            "GET x HTTP/1.1\nHost: a",
            "GET * HTTP/1.1\nHost: a",
            "CONNECT a:443 HTTP/1.1\nHost: a:443",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 1",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1, 1",
            "POST / HTTP/1.1\nHost: a\nContent-Length: +1",
            "POST / HTTP/1.1\nHost: a\nContent-Length: -1",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 0x1",
            "POST / HTTP/1.1\nHost: a\nContent-Length:",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 9999999999999999999",
            "POST / HTTP/1.1\nHost: a\nContent-Length : 1",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked",
            "POST / HTTP/1.1\nHost: a\n Transfer-Encoding: chunked",
            "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked",
            "GET / HTTP/1.1\nHost: a\nX: a\0b",
            "GET / HTTP/3.0\nHost: a",
            "GET  / HTTP/1.1\nHost: a",
        ] {
            assert!(matches!(verdict(lines), Err(Refusal::BadRequest(_))), "{lines}");
        }
    }
}
