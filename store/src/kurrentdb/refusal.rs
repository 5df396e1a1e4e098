//! What the server says to an append.

use keynest_eventstore_protocol::google::rpc::Status as Detailed;
use keynest_eventstore_protocol::v2::AppendRecordsResponse;
use keynest_eventstore_protocol::v2::errors::AppendConsistencyViolationErrorDetails;
use keynest_eventstore_protocol::v2::errors::consistency_violation::Type;
use prost::Message;
use tonic::{Code, Status};

use super::append::unavailable;
use crate::port::{AppendError, Revision};

/// How a sending ended.
pub(super) enum Answer {
    Done(AppendRecordsResponse),
    /// Nothing was written; at least one of these.
    Violated(Vec<Violation>),
    /// Nothing was written, and nothing ever would be.
    Refused(AppendError),
    /// Whether it was written, or will be, is unknown.
    Unclear(Status),
}

/// A check that does not hold.
pub(super) struct Violation {
    pub check: usize,
    pub actual: Revision,
}

pub(super) fn answer(answered: Result<AppendRecordsResponse, Status>) -> Answer {
    let status = match answered {
        Ok(response) => return Answer::Done(response),
        Err(status) => status,
    };
    if let Some(violations) = violations(&status) {
        return Answer::Violated(violations);
    }
    match status.code() {
        Code::InvalidArgument => {
            Answer::Refused(AppendError::Malformed(status.message().to_owned()))
        }
        Code::Aborted if details(&status).is_some_and(|it| it.0.contains("SizeExceeded")) => {
            Answer::Refused(AppendError::Malformed(status.message().to_owned()))
        }
        Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented => {
            Answer::Refused(unavailable(status))
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => Answer::Unclear(status),
    }
}

/// In the order of the checks.
fn violations(status: &Status) -> Option<Vec<Violation>> {
    let (kind, bytes) = details(status)?;
    if !kind.ends_with("AppendConsistencyViolationErrorDetails") {
        return None;
    }
    let told = AppendConsistencyViolationErrorDetails::decode(&bytes[..]).ok()?;
    let mut found: Vec<Violation> = told
        .violations
        .into_iter()
        .filter_map(|violation| {
            let Some(Type::StreamState(state)) = violation.r#type else { return None };
            Some(Violation {
                check: usize::try_from(violation.check_index).ok()?,
                actual: revision(state.actual_state),
            })
        })
        .collect();
    found.sort_by_key(|violation| violation.check);
    (!found.is_empty()).then_some(found)
}

/// The type of a refusal's details, and their bytes.
fn details(status: &Status) -> Option<(String, Vec<u8>)> {
    let details = Detailed::decode(status.details()).ok()?.details?;
    Some((details.type_url, details.value.to_vec()))
}

/// The last revision, counted from zero there; negative for a stream that is not there.
fn revision(state: i64) -> Revision {
    Revision::new(u32::try_from(state.saturating_add(1).max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use keynest_eventstore_protocol::v2::errors::ConsistencyViolation;
    use keynest_eventstore_protocol::v2::errors::consistency_violation::StreamStateViolation;
    use prost_types::Any;

    use super::*;

    fn refused(name: &str, details: &impl Message) -> Answer {
        let type_url = format!("type.googleapis.com/kurrentdb.protocol.v2.streams.errors.{name}");
        let details = Some(Any { type_url, value: details.encode_to_vec() });
        let told = Detailed { code: 9, message: String::new(), details };
        let told = told.encode_to_vec().into();
        answer(Err(Status::with_details(Code::FailedPrecondition, "", told)))
    }

    #[test]
    fn violations_are_told_in_the_order_of_the_checks() {
        let violation = |check_index, actual_state| ConsistencyViolation {
            check_index,
            r#type: Some(Type::StreamState(StreamStateViolation {
                stream: String::new(),
                expected_state: 0,
                actual_state,
            })),
        };
        let violations = vec![violation(3, 7), violation(1, -1)];
        let details = AppendConsistencyViolationErrorDetails { violations };
        let Answer::Violated(found) = refused("AppendConsistencyViolationErrorDetails", &details)
        else {
            panic!("expected violations");
        };
        let found: Vec<_> = found.into_iter().map(|it| (it.check, it.actual.get())).collect();
        assert_eq!(found, [(1, 0), (3, 8)]);
    }

    #[test]
    fn what_does_not_say_that_nothing_was_written_is_unclear() {
        for status in [
            Status::unavailable(""),
            Status::unknown("transport error"),
            Status::cancelled(""),
            Status::deadline_exceeded(""),
            Status::internal(""),
            Status::resource_exhausted(""),
            Status::failed_precondition(""),
        ] {
            assert!(matches!(answer(Err(status)), Answer::Unclear(_)));
        }
        let nothing = AppendConsistencyViolationErrorDetails { violations: Vec::new() };
        let told = refused("AppendConsistencyViolationErrorDetails", &nothing);
        assert!(matches!(told, Answer::Unclear(_)));
        let refused = answer(Err(Status::invalid_argument("too large")));
        assert!(matches!(refused, Answer::Refused(AppendError::Malformed(_))));
    }
}
