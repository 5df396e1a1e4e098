//! Which format a file has, decided before it is parsed.

use keynest_domain::FileFormat;

/// The format that the caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Env,
    Json,
    Yaml,
    /// By the file's name, or by its content if it has none.
    Auto,
}

impl Format {
    /// Reads the name that requests use; none for an unknown one.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "env" => Some(Self::Env),
            "json" => Some(Self::Json),
            "yaml" => Some(Self::Yaml),
            "auto" => Some(Self::Auto),
            _ => None,
        }
    }

    pub(super) fn resolve(self, file_name: Option<&str>, text: &str) -> FileFormat {
        match self {
            Self::Env => FileFormat::Env,
            Self::Json => FileFormat::Json,
            Self::Yaml => FileFormat::Yaml,
            Self::Auto => match file_name {
                Some(name) => by_extension(name),
                None => by_content(text),
            },
        }
    }
}

fn by_extension(name: &str) -> FileFormat {
    let name = name.to_ascii_lowercase();
    if name.ends_with(".json") {
        FileFormat::Json
    } else if name.ends_with(".yaml") || name.ends_with(".yml") {
        FileFormat::Yaml
    } else {
        FileFormat::Env
    }
}

/// The first line that is neither blank nor a comment decides, so that errors are those of one format:
/// a brace is JSON; `---`, a `%` directive or `key:` before a blank or the line's end is YAML (never a
/// good line of a .env file); anything else is .env.
fn by_content(text: &str) -> FileFormat {
    if text.trim_start().starts_with('{') {
        return FileFormat::Json;
    }
    let first = text.split(['\r', '\n']).map(str::trim_start);
    match first.into_iter().find(|line| !line.is_empty() && !line.starts_with('#')) {
        Some(line) if line.starts_with("---") || line.starts_with('%') => FileFormat::Yaml,
        Some(line) if begins_with_a_yaml_key(line) => FileFormat::Yaml,
        Some(_) | None => FileFormat::Env,
    }
}

fn begins_with_a_yaml_key(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim_end().trim_matches(['"', '\'']);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !key.is_empty()
        && key.bytes().all(is_word)
        && (rest.is_empty() || rest.starts_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_decides_by_its_extension_alone() {
        for (name, format) in [
            ("a.json", FileFormat::Json),
            ("A.JSON", FileFormat::Json),
            ("a.yaml", FileFormat::Yaml),
            ("a.yml", FileFormat::Yaml),
            (".env", FileFormat::Env),
            ("json", FileFormat::Env),
            ("a.json.bak", FileFormat::Env),
        ] {
            assert_eq!(Format::Auto.resolve(Some(name), "{\"A\": \"1\"}"), format, "{name}");
        }
    }

    #[test]
    fn raw_data_is_judged_by_its_first_meaningful_line() {
        for (text, format) in [
            (" \n {", FileFormat::Json),
            ("---\nA: 1", FileFormat::Yaml),
            ("# note: this\n\nA: 1", FileFormat::Yaml),
            ("'A' : x", FileFormat::Yaml),
            ("A:\n  1", FileFormat::Yaml),
            ("%YAML 1.2\n---", FileFormat::Yaml),
            ("A=b: c", FileFormat::Env),
            ("A=---", FileFormat::Env),
            ("A=1\n---\nB: 2", FileFormat::Env),
            ("URL:8080=1", FileFormat::Env),
            ("", FileFormat::Env),
            ("# only a comment", FileFormat::Env),
        ] {
            assert_eq!(Format::Auto.resolve(None, text), format, "{text}");
        }
    }

    #[test]
    fn a_given_format_is_not_second_guessed() {
        assert_eq!(Format::Env.resolve(Some("a.json"), "{}"), FileFormat::Env);
        assert_eq!(Format::from_name("auto"), Some(Format::Auto));
        assert_eq!(Format::from_name("toml"), None);
    }
}
