//! Where a chunked body ends (RFC 9112 section 7.1), strictly: CR LF only, short lines, few trailers.

/// Hexadecimal digits of a chunk's size.
const SIZE_DIGITS_MAX: u8 = 15;
/// Bytes of one chunk's extensions.
const EXTENSION_BYTES_MAX: u16 = 256;
/// Bytes of all trailer fields.
const TRAILER_BYTES_MAX: u16 = 4_096;

/// The place inside a chunked body.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    place: Place,
    /// Of the current chunk, in bytes.
    size: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Size { digits: u8 },
    Extension { bytes: u16 },
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart { bytes: u16 },
    Trailer { bytes: u16 },
    TrailerLf { bytes: u16 },
    EndLf,
}

/// The framing is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

impl Chunks {
    /// At the start of a body.
    pub const fn new() -> Self {
        Self { place: Place::Size { digits: 0 }, size: 0 }
    }

    /// Goes on through `bytes`. `Some(n)`: the body ends after n of them. `None`: all belong to it.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Place::Data = self.place {
                let there = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX);
                let taken = there.min(self.size);
                self.size -= taken;
                at += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.size == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            at += 1;
            if matches!((self.place, byte), (Place::EndLf, b'\n')) {
                return Ok(Some(at));
            }
            self.place = self.step(byte).ok_or(Broken)?;
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Option<Place> {
        match (self.place, byte) {
            (Place::Size { digits }, _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16)?;
                self.size = self.size * 16 + u64::from(digit);
                Some(Place::Size { digits: digits + 1 })
            }
            (Place::Size { digits: 1.. }, b'\r') | (Place::Extension { .. }, b'\r') => {
                Some(Place::SizeLf)
            }
            (Place::Size { digits: 1.. }, b';') => Some(Place::Extension { bytes: 0 }),
            (Place::Extension { bytes }, _) => (is_text(byte) && bytes < EXTENSION_BYTES_MAX)
                .then_some(Place::Extension { bytes: bytes + 1 }),
            (Place::SizeLf, b'\n') if self.size == 0 => Some(Place::TrailerStart { bytes: 0 }),
            (Place::SizeLf, b'\n') => Some(Place::Data),
            (Place::DataCr, b'\r') => Some(Place::DataLf),
            (Place::DataLf, b'\n') => Some(Place::Size { digits: 0 }),
            (Place::TrailerStart { .. }, b'\r') => Some(Place::EndLf),
            (Place::Trailer { bytes }, b'\r') => Some(Place::TrailerLf { bytes }),
            (Place::TrailerStart { bytes } | Place::Trailer { bytes }, _) => (is_text(byte)
                && bytes < TRAILER_BYTES_MAX)
                .then_some(Place::Trailer { bytes: bytes + 1 }),
            (Place::TrailerLf { bytes }, b'\n') => Some(Place::TrailerStart { bytes }),
            (
                Place::Size { .. }
                | Place::SizeLf
                | Place::Data
                | Place::DataCr
                | Place::DataLf
                | Place::TrailerLf { .. }
                | Place::EndLf,
                _,
            ) => None,
        }
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_in_one_piece_and_byte_by_byte() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A;x=1\r\n0123456789\r\n1\r\nx\r\n000\r\nT: v\r\nU: w\r\n\r\n",
        ] {
            let text = format!("{body}GET");
            assert_eq!(Chunks::new().advance(text.as_bytes()), Ok(Some(body.len())), "{body:?}");
            let mut chunks = Chunks::new();
            let ends: Vec<_> = body.bytes().map(|byte| chunks.advance(&[byte]).unwrap()).collect();
            assert_eq!(ends.iter().position(Option::is_some), Some(body.len() - 1), "{body:?}");
        }
    }

    #[test]
    fn broken_chunks_are_refused() {
        for body in [
            "\r\n",
            "5\nhello",
            "5 \r\n",
            "-1\r\n",
            "0x5\r\n",
            "g\r\n",
            "5\r\nhelloX",
            "5\r\nhello\n",
            "1234567890abcdef0\r\n",
            "0\n\n",
            "0\r\nT: v\n",
            "5;a\nb",
            "0\r\n\n",
        ] {
            assert_eq!(Chunks::new().advance(body.as_bytes()), Err(Broken), "{body:?}");
        }
    }
}
