//! Refusals with typed details, as the second version of the protocol sends them.

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

use crate::append::{Check, Refusal};
use crate::proto::google::rpc::Status as Detailed;
use crate::proto::v2::errors::consistency_violation::{StreamStateViolation, Type};
use crate::proto::v2::errors::*;

pub(super) fn twice(stream: &str) -> Status {
    let details = StreamAlreadyInAppendSessionErrorDetails { stream: stream.to_owned() };
    let message = format!("Stream '{stream}' is already part of this append session.");
    detailed(Code::Aborted, message, "StreamAlreadyInAppendSessionErrorDetails", &details)
}

pub(super) fn status(refusal: Refusal) -> Status {
    let bytes_max = i32::try_from(refusal.bytes_max()).unwrap_or(i32::MAX);
    let in_bytes = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
    match refusal {
        Refusal::WrongExpected { stream, expected, current } => {
            let (expected, actual) = (expected.number(), number(current));
            let message = format!(
                "Append failed due to a revision conflict on stream '{stream}'. Expected revision: {expected}. Actual revision: {actual}."
            );
            let details = StreamRevisionConflictErrorDetails {
                stream,
                expected_revision: expected,
                actual_revision: actual,
            };
            let name = "StreamRevisionConflictErrorDetails";
            detailed(Code::FailedPrecondition, message, name, &details)
        }
        Refusal::Violated(found) => violated(found),
        Refusal::Tombstoned { stream } => {
            let message = format!("Stream '{stream}' has been tombstoned.");
            let details = StreamTombstonedErrorDetails { stream };
            detailed(Code::FailedPrecondition, message, "StreamTombstonedErrorDetails", &details)
        }
        Refusal::EventTooLarge { stream, id, bytes } => {
            let message =
                format!("The size of record {id} ({bytes} bytes) exceeds {bytes_max} bytes.");
            let details = AppendRecordSizeExceededErrorDetails {
                stream,
                record_id: id.to_string(),
                size: in_bytes(bytes),
                max_size: bytes_max,
            };
            let name = "AppendRecordSizeExceededErrorDetails";
            detailed(Code::InvalidArgument, message, name, &details)
        }
        Refusal::AppendTooLarge { bytes, events } => {
            let message = format!(
                "The size of the append ({bytes} bytes, {events} records) exceeds what goes in one."
            );
            let details = AppendTransactionSizeExceededErrorDetails {
                size: in_bytes(bytes),
                max_size: bytes_max,
            };
            let name = "AppendTransactionSizeExceededErrorDetails";
            detailed(Code::Aborted, message, name, &details)
        }
        other @ (Refusal::Malformed(_) | Refusal::Busy | Refusal::Unavailable(_)) => other.into(),
    }
}

fn violated(found: Vec<(usize, Check, Option<u64>)>) -> Status {
    let violation = |(index, check, current): (usize, Check, Option<u64>)| ConsistencyViolation {
        check_index: i32::try_from(index).unwrap_or(i32::MAX),
        r#type: Some(Type::StreamState(StreamStateViolation {
            stream: check.stream,
            expected_state: check.expected.number(),
            actual_state: number(current),
        })),
    };
    let violations = found.into_iter().map(violation).collect();
    let details = AppendConsistencyViolationErrorDetails { violations };
    let message = "Append failed due to consistency checks that do not hold.".to_owned();
    detailed(Code::FailedPrecondition, message, "AppendConsistencyViolationErrorDetails", &details)
}

fn number(current: Option<u64>) -> i64 {
    current.map_or(-1, u64::cast_signed)
}

fn detailed(code: Code, message: String, name: &str, details: &impl Message) -> Status {
    let details = Any {
        type_url: format!("type.googleapis.com/kurrentdb.protocol.v2.streams.errors.{name}"),
        value: details.encode_to_vec(),
    };
    let status = Detailed { code: code.into(), message: message.clone(), details: Some(details) };
    Status::with_details(code, message, status.encode_to_vec().into())
}
