//! Why an append was not done, in the words of the protocol.

use std::error::Error;
use std::sync::Arc;

use keynest_store::{APPEND_BYTES_MAX, AppendError, EVENT_BYTES_MAX, ReadError};
use tonic::Status;
use uuid::Uuid;

use super::{Check, Expected, Write};
use crate::status;

#[derive(Debug)]
pub(crate) enum Refusal {
    WrongExpected {
        stream: String,
        expected: Expected,
        current: Option<u64>,
    },
    /// By their place among the checks, with the last revision that is the case.
    Violated(Vec<(usize, Check, Option<u64>)>),
    Tombstoned {
        stream: String,
    },
    EventTooLarge {
        stream: String,
        id: Uuid,
        bytes: usize,
    },
    AppendTooLarge {
        bytes: usize,
        events: usize,
    },
    Malformed(String),
    /// Nothing was written.
    Busy,
    /// Whether it was written is unknown; the same events may be sent again.
    Unavailable(Arc<dyn Error + Send + Sync>),
}

impl Refusal {
    pub(super) fn wrong(write: &Write, current: Option<u64>) -> Self {
        Self::WrongExpected { stream: write.stream.clone(), expected: write.expected, current }
    }

    /// The limit that was passed, in bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        if let Self::EventTooLarge { .. } = self { EVENT_BYTES_MAX } else { APPEND_BYTES_MAX }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let ReadError::Unavailable(cause) = error;
        Self::Unavailable(cause)
    }
}

/// A conflict that was not judged has come too often.
impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict(_) | AppendError::Busy => Self::Busy,
            AppendError::Malformed(why) => Self::Malformed(why),
            AppendError::LevelTooLow { .. } => Self::Malformed(error.to_string()),
            AppendError::Unavailable(cause) => Self::Unavailable(cause),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let bytes_max = refusal.bytes_max();
        match refusal {
            Refusal::WrongExpected { stream, expected, current } => {
                status::wrong_expected_version(&stream, expected, current)
            }
            Refusal::Violated(violated) => {
                Self::failed_precondition(format!("{} checks do not hold", violated.len()))
            }
            Refusal::Tombstoned { stream } => status::stream_deleted(&stream),
            Refusal::EventTooLarge { bytes, .. } => status::too_large(bytes, bytes_max),
            Refusal::AppendTooLarge { bytes, .. } => status::too_large(bytes, bytes_max),
            Refusal::Malformed(why) => Self::invalid_argument(why),
            Refusal::Busy => Self::resource_exhausted("append queue is full"),
            Refusal::Unavailable(cause) => status::unavailable(&*cause),
        }
    }
}
