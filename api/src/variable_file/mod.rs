//! Files of variables: what an import may contain and what an export writes. Pure: bytes in, entries or
//! bad lines out. The page for users is `docs/FILE_FORMATS.md`.

mod detect;
mod draft;
mod env_parser;
mod env_writer;
mod json;
mod lines;
mod yaml;

#[cfg(test)]
mod env_examples;
#[cfg(test)]
mod hostile_files;
#[cfg(test)]
mod page;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod yaml_examples;

use keynest_domain::{FileFormat, VariableKey};
use secrecy::SecretString;

pub use detect::Format;

use draft::Draft;

/// Largest file that is looked at, in bytes.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Bad lines that an error names; the rest is only counted.
pub const LINE_ERRORS_MAX: usize = 100;
/// What the API shows in place of a value; refused as a value, so that a masked export does not overwrite secrets.
pub const MASKS: [&str; 2] = ["[HIDDEN]", "[NO_ACCESS]"];

/// What a file says, in its order. Keys are distinct, also when case is ignored.
#[derive(Debug)]
pub struct Parsed {
    /// The format that was given or detected.
    pub format: FileFormat,
    /// Keys and values; a value has at most `VALUE_BYTES_MAX` bytes and no NUL.
    pub entries: Vec<(VariableKey, SecretString)>,
}

/// Why a file is refused: every bad line, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file of variables has bad lines ({})", self.lines.len() + self.omitted)]
pub struct FileError {
    /// At least one and at most `LINE_ERRORS_MAX`, in the order of the file.
    pub lines: Vec<LineError>,
    /// Further bad lines that are not listed.
    pub omitted: usize,
}

/// One bad line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Counted from 1; none if the whole file is meant.
    pub line: Option<u32>,
    /// Stable, for programs; listed in `docs/FILE_FORMATS.md`.
    pub code: &'static str,
    /// For people; may name a well-formed key, never a value.
    pub message: String,
}

/// Reads a file. `file_name` is looked at for `Format::Auto` only.
pub fn parse(bytes: &[u8], format: Format, file_name: Option<&str>) -> Result<Parsed, FileError> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = format!("the file has more than {FILE_BYTES_MAX} bytes");
        return Err(LineError { line: None, code: "file_too_large", message }.into());
    }
    let text = lines::text_of(bytes)?;
    let format = format.resolve(file_name, text);
    let mut draft = Draft::new(format);
    match format {
        FileFormat::Env => env_parser::parse(text, &mut draft),
        FileFormat::Json => json::parse(text, &mut draft),
        FileFormat::Yaml => yaml::parse(text, &mut draft),
    }
    draft.finish()
}

/// Writes a file that `parse` reads back to the same entries, in the order given. Keys come from
/// `VariableKey` and values have no NUL.
pub fn render(entries: &[(&str, &str)], format: FileFormat) -> String {
    match format {
        FileFormat::Env => env_writer::render(entries),
        FileFormat::Json => json::render(entries),
        FileFormat::Yaml => yaml::render(entries),
    }
}

impl From<LineError> for FileError {
    fn from(line: LineError) -> Self {
        Self { lines: vec![line], omitted: 0 }
    }
}

#[cfg(test)]
impl Parsed {
    /// The entries in clear.
    fn texts(&self) -> Vec<(String, String)> {
        use secrecy::ExposeSecret;
        let text = |(key, value): &(VariableKey, SecretString)| {
            (key.to_string(), value.expose_secret().to_owned())
        };
        self.entries.iter().map(text).collect()
    }
}
