//! The .env writer: one way of quoting that `sh`, our reader and, as far as can be, dotenv tools read alike.
//!
//! `sh` and our reader get every value back. Compared with python-dotenv 1.2 and node's dotenv 18, the rest
//! differs and no quoting would suit all: python-dotenv expands `${X}` unless told not to, undoes `\\` in
//! single quotes and does not undo `\$` or a protected backtick; node's dotenv turns CR and CR LF into LF
//! and undoes `\n` and `\r` alone, so it misreads a value that ends with a backslash or has a single quote
//! together with one of `\`, `"`, `$` and the backtick, and at times the line after it.

/// One line per entry, more where a value has line ends, which stay as they are: `\n` in double quotes
/// means a line end to dotenv tools but not to `sh`.
pub(super) fn render(entries: &[(&str, &str)]) -> String {
    let mut file = String::new();
    for (key, value) in entries {
        file.push_str(key);
        file.push('=');
        if value.chars().all(is_plain) {
            file.push_str(value);
        } else if value.contains('\'') || value.ends_with('\\') {
            push_double_quoted(&mut file, value);
        } else {
            file.push('\'');
            file.push_str(value);
            file.push('\'');
        }
        file.push('\n');
    }
    file
}

/// Characters that mean themselves everywhere, also at the start of a value.
fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_-./:@%+,=".contains(char)
}

fn push_double_quoted(file: &mut String, value: &str) {
    file.push('"');
    for char in value.chars() {
        if matches!(char, '\\' | '"' | '$' | '`') {
            file.push('\\');
        }
        file.push(char);
    }
    file.push('"');
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn the_simplest_quoting_that_is_safe_is_used() {
        for (value, line) in [
            ("", "K=\n"),
            ("postgres://u:p@h/db?x", "K='postgres://u:p@h/db?x'\n"),
            ("abc-1.2_3/x:y@z%+,=", "K=abc-1.2_3/x:y@z%+,=\n"),
            ("a b", "K='a b'\n"),
            ("$HOME `x` \"y\" #z \\n", "K='$HOME `x` \"y\" #z \\n'\n"),
            ("one\ntwo\r\n", "K='one\ntwo\r\n'\n"),
            ("it's $5", "K=\"it's \\$5\"\n"),
            ("it's\ntwo \\n", "K=\"it's\ntwo \\\\n\"\n"),
            ("C:\\", "K=\"C:\\\\\"\n"),
            ("é", "K='é'\n"),
            ("~", "K='~'\n"),
        ] {
            assert_eq!(render(&[("K", value)]), line);
        }
    }
}
