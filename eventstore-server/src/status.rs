//! Errors as the protocol sends them: a code, and in the trailers what kind it is.

use std::error::Error;

use keynest_store::ReadError;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

use crate::append::Expected;

/// A code with the trailers that name the kind of error.
pub(crate) fn named(
    code: Code,
    message: String,
    exception: &'static str,
    told: &[(&'static str, &str)],
) -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert("exception", AsciiMetadataValue::from_static(exception));
    for (name, value) in told {
        // Names of streams may hold what a header cannot; the client then does without.
        if let Ok(value) = AsciiMetadataValue::try_from(*value) {
            trailers.insert(*name, value);
        }
    }
    Status::with_metadata(code, message, trailers)
}

pub(crate) fn stream_deleted(stream: &str) -> Status {
    named(
        Code::FailedPrecondition,
        format!("Event stream '{stream}' is deleted."),
        "stream-deleted",
        &[("stream-name", stream)],
    )
}

pub(crate) fn wrong_expected_version(
    stream: &str,
    expected: Expected,
    current: Option<u64>,
) -> Status {
    let actual = current.map_or("-1".to_owned(), |it| it.to_string());
    let wanted = expected.number();
    named(
        Code::FailedPrecondition,
        format!(
            "Append failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {wanted}, Actual version: {actual}"
        ),
        "wrong-expected-version",
        &[
            ("stream-name", stream),
            ("expected-version", &wanted.to_string()),
            ("actual-version", &actual),
        ],
    )
}

pub(crate) fn too_large(bytes: usize, bytes_max: usize) -> Status {
    named(
        Code::InvalidArgument,
        format!("Maximum Append Size of {bytes_max} Exceeded by {bytes}."),
        "maximum-append-size-exceeded",
        &[("maximum-append-size", &bytes_max.to_string())],
    )
}

/// The cause is logged here and not sent.
pub(crate) fn unavailable(cause: &(dyn Error + 'static)) -> Status {
    tracing::warn!(error = cause, "the event log cannot be reached");
    Status::unavailable("the event log cannot be reached")
}

pub(crate) fn unreadable(error: ReadError) -> Status {
    unavailable(&error)
}

impl Expected {
    /// As the protocol numbers it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::NoStream => -1,
            Self::Any => -2,
            Self::Exists => -4,
            Self::Revision(revision) => i64::try_from(revision).unwrap_or(i64::MAX),
        }
    }
}
