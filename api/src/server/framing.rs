//! The bytes of an HTTP/1 connection, followed from head to body to head, so that nothing unchecked reaches hyper.

use std::sync::Arc;

use super::chunks::Chunks;
use super::head::{self, BodyFraming};
use super::refusal::Refusal;

/// What an HTTP/2 client sends first (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What heads must satisfy.
#[derive(Clone, Debug)]
pub struct HeadRules {
    /// Size in bytes.
    pub bytes_max: usize,
    /// Number of fields.
    pub headers_max: usize,
    /// Names of this server, see `ServerOptions::authorities`.
    pub authorities: Arc<[String]>,
}

/// The place in the inbound bytes of one connection.
#[derive(Debug)]
pub struct Framing {
    rules: HeadRules,
    place: Place,
    heads: usize,
    refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Place {
    /// Nothing has come yet: HTTP/1 or HTTP/2?
    Start,
    /// In front of or inside a head, of which so many bytes have been looked at.
    Head {
        scanned: usize,
        has_begun: bool,
    },
    Sized(u64),
    Chunked(Chunks),
    Http2,
}

const NEXT_HEAD: Place = Place::Head { scanned: 0, has_begun: false };

impl Framing {
    pub fn new(rules: HeadRules) -> Self {
        Self { rules, place: Place::Start, heads: 0, refusal: None }
    }

    /// Heads let through so far.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Why nothing more is let through.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Whether this is HTTP/2, which has its own framing.
    pub fn is_http2(&self) -> bool {
        matches!(self.place, Place::Http2)
    }

    /// Whether no request is half read.
    pub fn is_between_requests(&self) -> bool {
        matches!(self.place, Place::Start | Place::Head { .. })
    }

    /// Gives up, because the client took too long over a head.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
    }

    /// How many of these bytes may go on. The rest must be offered again, with more behind it.
    pub fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() && self.refusal.is_none() {
            match self.step(&bytes[passed..]) {
                Ok(0) => break,
                Ok(taken) => passed += taken,
                Err(refusal) => self.refusal = Some(refusal),
            }
        }
        passed
    }

    /// `Ok(0)`: more bytes are needed.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        match &mut self.place {
            Place::Start
                if HTTP2_PREFACE.starts_with(bytes) && bytes.len() < HTTP2_PREFACE.len() =>
            {
                Ok(0)
            }
            Place::Start => {
                let is_http2 = bytes.starts_with(HTTP2_PREFACE);
                self.place = if is_http2 { Place::Http2 } else { NEXT_HEAD };
                self.step(bytes)
            }
            Place::Head { .. } => self.head(bytes),
            Place::Sized(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                if *left == 0 {
                    self.place = NEXT_HEAD;
                }
                Ok(taken)
            }
            Place::Chunked(chunks) => {
                match chunks.advance(bytes).map_err(|_| Refusal::BrokenBody)? {
                    Some(taken) => {
                        self.place = NEXT_HEAD;
                        Ok(taken)
                    }
                    None => Ok(bytes.len()),
                }
            }
            Place::Http2 => Ok(bytes.len()),
        }
    }

    fn head(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let Place::Head { scanned, has_begun } = &mut self.place else { return Ok(0) };
        let end = end_of_head(bytes, *scanned, has_begun)?;
        *scanned = bytes.len();
        let Some(end) = end.filter(|end| *end <= self.rules.bytes_max) else {
            let is_too_large = end.is_some() || bytes.len() > self.rules.bytes_max;
            return if is_too_large { Err(Refusal::HeadTooLarge) } else { Ok(0) };
        };
        let framing = head::check(&bytes[..end], self.rules.headers_max, &self.rules.authorities)?;
        self.place = match framing {
            BodyFraming::Sized(0) => NEXT_HEAD,
            BodyFraming::Sized(length) => Place::Sized(length),
            BodyFraming::Chunked => Place::Chunked(Chunks::new()),
        };
        self.heads += 1;
        Ok(end)
    }
}

/// The length of the head with its empty line. Lines end with CR LF and neither stands alone. Empty lines in
/// front are part of it (RFC 9112 section 2.2).
fn end_of_head(bytes: &[u8], from: usize, has_begun: &mut bool) -> Result<Option<usize>, Refusal> {
    for at in from..bytes.len() {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        match (before, bytes[at]) {
            (Some(b'\r'), b'\n') => {
                if *has_begun && at >= 3 && bytes[at - 2] == b'\n' {
                    return Ok(Some(at + 1));
                }
            }
            (_, b'\n') | (Some(b'\r'), _) => {
                return Err(Refusal::BadRequest("lines end with CR LF"));
            }
            (_, byte) => *has_begun |= byte != b'\r',
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing() -> Framing {
        Framing::new(HeadRules { bytes_max: 256, headers_max: 8, authorities: Arc::new([]) })
    }

    /// Offers the bytes one by one, as the guard does, and tells how many got through.
    fn byte_by_byte(framing: &mut Framing, bytes: &[u8]) -> usize {
        let (mut held, mut passed) = (Vec::new(), 0);
        for &byte in bytes {
            held.push(byte);
            let count = framing.advance(&held);
            held.drain(..count);
            passed += count;
        }
        passed
    }

    const GOOD: &[u8] = b"\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nHost: a\r\n\
        Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn pipelined_requests_pass_in_one_piece_and_byte_by_byte() {
        let mut whole = framing();
        assert_eq!((whole.advance(GOOD), whole.heads()), (GOOD.len(), 3));
        let mut pieces = framing();
        assert_eq!((byte_by_byte(&mut pieces, GOOD), pieces.heads()), (GOOD.len(), 3));
        assert!(pieces.is_between_requests() && pieces.refusal().is_none());
    }

    #[test]
    fn nothing_of_a_bad_head_passes_behind_a_good_request() {
        for bad in [
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        ] {
            let bytes = [GOOD, bad.as_bytes()].concat();
            let mut whole = framing();
            assert_eq!(whole.advance(&bytes), GOOD.len(), "{bad:?}");
            assert!(whole.refusal().is_some(), "{bad:?}");
            let mut pieces = framing();
            assert_eq!(byte_by_byte(&mut pieces, &bytes), GOOD.len(), "{bad:?}");
        }
    }

    #[test]
    fn a_head_above_the_limit_is_refused_complete_or_not() {
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(300));
        for text in [long.clone(), format!("{long}\r\n\r\n")] {
            let mut framing = framing();
            assert_eq!(framing.advance(text.as_bytes()), 0);
            assert_eq!(framing.refusal(), Some(Refusal::HeadTooLarge));
        }
    }

    #[test]
    fn http2_passes_untouched_after_its_preface() {
        let bytes = [HTTP2_PREFACE, b"\n\n\0anything"].concat();
        let mut framing = framing();
        assert_eq!(byte_by_byte(&mut framing, &bytes), bytes.len());
        assert!(framing.is_http2());
    }
}
