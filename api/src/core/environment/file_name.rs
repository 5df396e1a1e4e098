//! The name under which a browser saves an export (RFC 6266).

use std::fmt::Write;

use keynest_domain::FileFormat;

/// `attachment` with a plain name for old clients and the exact one for the others. Neither can leave its quotes.
pub fn disposition(project: &str, environment: &str, format: FileFormat) -> String {
    let exact = format!("{project}_{environment}.{}", format.name());
    let plain: String = exact.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in exact.bytes() {
        if is_plain(char::from(byte)) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_project_and_environment_and_never_break_the_header() {
        let rows = [
            ("web", "dev", "attachment; filename=\"web_dev.env\"; filename*=UTF-8''web_dev.env"),
            (
                "my web",
                "dev",
                "attachment; filename=\"my_web_dev.env\"; filename*=UTF-8''my%20web_dev.env",
            ),
            ("ü", "a\"b", "attachment; filename=\"__a_b.env\"; filename*=UTF-8''%C3%BC_a%22b.env"),
            (
                "a/../b",
                "c\r\nd",
                "attachment; filename=\"a_.._b_c__d.env\"; filename*=UTF-8''a%2F..%2Fb_c%0D%0Ad.env",
            ),
        ];
        for (project, environment, header) in rows {
            assert_eq!(disposition(project, environment, FileFormat::Env), header);
        }
    }
}
