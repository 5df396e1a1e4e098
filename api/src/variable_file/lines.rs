//! Bytes to text, and places in a text to line numbers.

use super::draft::Draft;
use super::{FileError, LineError};
use keynest_domain::FileFormat;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The text without its byte order mark; names every line that is not UTF-8 or has a NUL.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, FileError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = "the file is UTF-16; save it as UTF-8".to_owned();
        return Err(LineError { line: Some(1), code: "not_utf8", message }.into());
    }
    let (mut draft, mut lines) = (Draft::new(FileFormat::Env), Lines::new(bytes));
    let (mut at, mut last_bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            let line = lines.at(at);
            if line != last_bad {
                draft.refuse(line, "not_utf8", "the line is not UTF-8 text");
            }
            last_bad = line;
            at += chunk.invalid().len();
        }
    }
    draft.finish()?;
    let text = std::str::from_utf8(bytes).expect("every chunk was valid");
    refuse_nul(text)?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

fn refuse_nul(text: &str) -> Result<(), FileError> {
    let (mut draft, mut lines) = (Draft::new(FileFormat::Env), Lines::new(text.as_bytes()));
    let mut last_bad = 0;
    for (at, _) in text.match_indices('\0') {
        let line = lines.at(at);
        if line != last_bad {
            draft.refuse(line, "nul_character", "the line has a NUL character");
        }
        last_bad = line;
    }
    draft.finish().map(drop)
}

/// Turns byte offsets that only grow into line numbers, in one pass over the text.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line, counted from 1, of an offset that is not before the last one asked for. LF, CR LF and a
    /// CR alone end a line.
    pub(super) fn at(&mut self, offset: usize) -> u32 {
        while self.at < offset {
            let next = self.bytes.get(self.at + 1);
            match self.bytes[self.at] {
                b'\n' => self.line += 1,
                b'\r' if next != Some(&b'\n') => self.line += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let mut lines = Lines::new(b"a\nb\r\nc\rd\r\n\r\ne");
        assert_eq!([0, 2, 3, 5, 7, 12].map(|at| lines.at(at)), [1, 2, 2, 3, 4, 6]);
    }

    #[test]
    fn each_line_that_is_not_utf8_is_named_once() {
        let error = text_of(b"A=1\nB=\xff\xfe\nC=\xc3\xa9\nD=\xc3\n").expect_err("bad bytes");
        let lines: Vec<_> = error.lines.iter().map(|bad| (bad.line, bad.code)).collect();
        assert_eq!(lines, [(Some(2), "not_utf8"), (Some(4), "not_utf8")]);
    }

    #[test]
    fn utf16_is_called_by_its_name() {
        let error = text_of(b"\xff\xfeA\0=\0x\0").expect_err("UTF-16");
        assert_eq!(error.lines[0].message, "the file is UTF-16; save it as UTF-8");
        let error = text_of(b"A\0=\0x\0").expect_err("UTF-16 without a mark");
        assert_eq!(error.lines[0].code, "nul_character");
    }

    #[test]
    fn one_byte_order_mark_is_dropped() {
        assert_eq!(text_of("\u{feff}A=1".as_bytes()), Ok("A=1"));
    }
}
