//! The log of this process: human or JSON lines, on standard error or in rotated files, with control characters escaped.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat, LogRotation};

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// `log.level` is neither a level nor a list of filters.
    #[error(
        "`log.level` is not a level such as `info` nor a list of filters such as `info,keynest_store=debug`"
    )]
    Level(#[source] ParseError),
    /// The folder of the log cannot be made.
    #[error("cannot create the folder {path} of `log.file`")]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The log cannot be written.
    #[error("cannot open `log.file`")]
    File(#[source] InitError),
    /// Called twice.
    #[error("the log is open already")]
    Twice(#[source] TryInitError),
}

/// Keep it until the process ends: dropping it writes what is still buffered.
#[must_use]
pub struct LogGuard(
    #[expect(dead_code, reason = "its drop is what it is for")] Option<WorkerGuard>,
);

/// Opens the log that the configuration describes.
///
/// # Errors
/// When the level cannot be read or the file not be written.
pub fn open(log: &Log) -> Result<LogGuard, LoggingError> {
    let filter = EnvFilter::try_new(&log.level).map_err(LoggingError::Level)?;
    let (writer, guard) = if log.file.as_os_str().is_empty() {
        (BoxMakeWriter::new(|| Escaped(io::stderr())), None)
    } else {
        let (file, guard) = open_file(log, &log.file)?;
        (BoxMakeWriter::new(move || Escaped(file.clone())), Some(guard))
    };
    // A line that cannot be written is dropped: complaining about it on a closed standard error would end the task.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(writer);
    // A closed standard error must not end the task that logs: the complaint about it would panic there.
    let lines = lines.log_internal_errors(false);
    let opened = match log.format {
        LogFormat::Human => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    opened.map_err(LoggingError::Twice)?;
    Ok(LogGuard(guard))
}

fn open_file(log: &Log, file: &Path) -> Result<(NonBlocking, WorkerGuard), LoggingError> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|source| LoggingError::Folder { path: folder.into(), source })?;
    let rotation = match log.rotation {
        LogRotation::Hourly => Rotation::HOURLY,
        LogRotation::Daily => Rotation::DAILY,
        LogRotation::Never => Rotation::NEVER,
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let appender = RollingFileAppender::builder()
        .rotation(rotation)
        .filename_prefix(name)
        .max_log_files(log.files_max);
    Ok(tracing_appender::non_blocking(appender.build(folder).map_err(LoggingError::File)?))
}

/// Writes each event as exactly one line: no text in it can begin another line or talk to the terminal.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    /// The formatter hands over whole events.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let mut line = escape(text.trim_end_matches('\n'));
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Control characters, and the two that separate lines beside them, as `\u{a}`.
fn escape(text: &str) -> String {
    let is_risky = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if is_risky(c) { escaped.extend(c.escape_unicode()) } else { escaped.push(c) }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_begin_a_line_of_its_own_or_talk_to_the_terminal() {
        let mut written = Vec::new();
        let event = "login name=a\r\n2026 INFO forged \u{1b}[31m \u{202e}x\u{9b}\n".as_bytes();
        assert_eq!(Escaped(&mut written).write(event).unwrap(), event.len());
        let line = String::from_utf8(written).unwrap();
        assert_eq!(
            line,
            "login name=a\\u{d}\\u{a}2026 INFO forged \\u{1b}[31m \\u{202e}x\\u{9b}\n"
        );
    }

    #[test]
    fn a_log_file_gets_its_folder_and_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/keynest.log");
        let log = Log { file: file.clone(), rotation: LogRotation::Never, ..Log::default() };
        let (writer, guard) = open_file(&log, &file).unwrap();
        Escaped(writer).write_all("grüße\n".as_bytes()).unwrap();
        drop(guard);
        assert_eq!(fs::read_to_string(file).unwrap(), "grüße\n");
    }
}
