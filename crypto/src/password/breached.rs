//! Passwords from leaks, compared whole. An exact list and no filter: at this size a sorted text costs no memory beyond
//! the binary, has no false positives, and can be read. Where it comes from: `breached_passwords.md`.

/// One per line in lower case and normal form C, sorted by bytes; none shorter than the shortest password that may be
/// chosen.
const LIST: &str = include_str!("breached_passwords.txt");

/// Whether a password, in lower case, is in the list: a binary search for its line.
pub fn is_breached(lower: &str) -> bool {
    let (mut low, mut high) = (0, LIST.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = line_start(middle);
        let line = line_at(start);
        match line.as_bytes().cmp(lower.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

fn line_start(at: usize) -> usize {
    LIST.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

fn line_at(start: usize) -> &'static str {
    LIST[start..].split('\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use unicode_normalization::is_nfc;

    use super::super::PASSWORD_CHARS_MIN;
    use super::*;
    use crate::random;

    /// Also in the document beside the list.
    const ENTRIES: usize = 16_293;

    #[test]
    fn the_list_is_sorted_whole_and_as_long_as_its_document_says() {
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.windows(2).all(|pair| pair[0].as_bytes() < pair[1].as_bytes()));
        assert_eq!(lines.len(), ENTRIES);
        assert!(LIST.ends_with('\n'));
        for line in lines {
            assert!(line.chars().count() >= PASSWORD_CHARS_MIN, "{line}");
            assert!(is_nfc(line) && line == line.to_lowercase() && line == line.trim(), "{line}");
        }
        let document = include_str!("breached_passwords.md");
        assert!(document.contains("16,293 entries"));
    }

    #[test]
    fn every_entry_is_found() {
        assert!(LIST.lines().all(is_breached));
    }

    #[test]
    fn of_200_000_random_passwords_none_is_taken_for_one_of_the_list() {
        let false_positives = (0..200_000)
            .map(|_| format!("{:026x}", random::bits128() >> 24))
            .filter(|text| is_breached(text))
            .count();
        assert_eq!(false_positives, 0);
    }

    #[test]
    fn neighbours_of_entries_are_not_entries() {
        for word in LIST.lines().step_by(37) {
            for text in [
                format!("{word}\u{7f}#"),
                word[..word.len() - word.chars().next_back().map_or(0, char::len_utf8)].to_owned(),
            ] {
                assert_eq!(is_breached(&text), LIST.lines().any(|line| line == text), "{text}");
            }
        }
        assert!(!is_breached("") && !is_breached("\n") && !is_breached("\u{10ffff}"));
    }
}
