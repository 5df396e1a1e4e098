//! Many appends over one call; each has its answer.

use std::collections::HashMap;

use keynest_store::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EventStore};
use prost::Message;
use prost_types::Any;
use tonic::{Status, Streaming};

use super::{Answers, Sender, answer, send};
use crate::append::{Expected, Refusal, Write, append};
use crate::ending::{Stopping, come_back};
use crate::message::{IdForm, all_position, id, proposed, read_id};
use crate::names::{asked, identifier};
use crate::proto::event_store::client as wire;
use crate::proto::event_store::client::streams::batch_append_req::Options;
use crate::proto::event_store::client::streams::batch_append_req::options::ExpectedStreamPosition as Wanted;
use crate::proto::event_store::client::streams::batch_append_resp::success::{
    CurrentRevisionOption, PositionOption,
};
use crate::proto::event_store::client::streams::batch_append_resp::{
    ExpectedStreamPosition, Result as Outcome, Success,
};
use crate::proto::event_store::client::streams::{BatchAppendReq, BatchAppendResp};
use crate::proto::event_store::client::wrong_expected_version::{
    CurrentStreamRevisionOption as Current, ExpectedStreamPositionOption as Told,
};
use crate::proto::google::rpc::{Code, Status as Detailed};

/// Appends that are begun and not finished in one call.
const OPEN_MAX: usize = 64;

pub(super) fn batch_append(
    store: EventStore,
    mut request: Streaming<BatchAppendReq>,
    stopping: Stopping,
) -> Answers<BatchAppendResp> {
    answer(|to: Sender<BatchAppendResp>| async move {
        let mut open: HashMap<uuid::Uuid, Write> = HashMap::new();
        loop {
            // Whatever was sent to its end is answered before anybody is told to go.
            let part = tokio::select! {
                biased;
                part = request.message() => part?,
                () = stopping.clone() => return Err(come_back()),
            };
            let Some(part) = part else { return Ok(()) };
            let correlation = read_id(part.correlation_id.clone())?;
            let is_final = part.is_final;
            if open.len() >= OPEN_MAX && !open.contains_key(&correlation) {
                return Err(Status::resource_exhausted("too many unfinished appends"));
            }
            take(&mut open, correlation, part)?;
            if is_final && let Some(write) = open.remove(&correlation) {
                let outcome = append(&store, std::slice::from_ref(&write), &[]).await;
                let answer = BatchAppendResp {
                    correlation_id: id(correlation, IdForm::Text),
                    stream_identifier: identifier(&write.stream),
                    expected_stream_position: Some(expected(write.expected)),
                    result: Some(match outcome {
                        Ok(written) => Outcome::Success(success(&written)),
                        Err(refusal) => Outcome::Error(detailed(refusal)),
                    }),
                };
                send(&to, answer).await?;
            }
        }
    })
}

fn take(
    open: &mut HashMap<uuid::Uuid, Write>,
    correlation: uuid::Uuid,
    part: BatchAppendReq,
) -> Result<(), Status> {
    let write = match (part.options, open.entry(correlation)) {
        (Some(options), entry) => entry.insert_entry(begin(options)?).into_mut(),
        (None, std::collections::hash_map::Entry::Occupied(entry)) => entry.into_mut(),
        (None, std::collections::hash_map::Entry::Vacant(_)) => {
            return Err(Status::invalid_argument("an append begins with its options"));
        }
    };
    for event in part.proposed_messages {
        let event = proposed(event.id, event.metadata, event.custom_metadata, event.data)?;
        write.events.push(event);
    }
    let bytes = write.events.iter().map(|it| it.data.len() + it.metadata.len()).sum::<usize>();
    if bytes > APPEND_BYTES_MAX || write.events.len() > APPEND_EVENTS_MAX {
        return Err(Refusal::AppendTooLarge { bytes, events: write.events.len() }.into());
    }
    Ok(())
}

fn begin(options: Options) -> Result<Write, Status> {
    let expected = match options.expected_stream_position {
        Some(Wanted::StreamPosition(revision)) => Expected::Revision(revision),
        Some(Wanted::NoStream(())) => Expected::NoStream,
        Some(Wanted::StreamExists(())) => Expected::Exists,
        Some(Wanted::Any(())) => Expected::Any,
        None => return Err(Status::invalid_argument("an append expects something")),
    };
    Ok(Write { stream: asked(options.stream_identifier)?, expected, events: Vec::new() })
}

fn expected(expected: Expected) -> ExpectedStreamPosition {
    match expected {
        Expected::Revision(revision) => ExpectedStreamPosition::StreamPosition(revision),
        Expected::NoStream => ExpectedStreamPosition::NoStream(()),
        Expected::Exists => ExpectedStreamPosition::StreamExists(()),
        Expected::Any => ExpectedStreamPosition::Any(()),
    }
}

fn success(written: &crate::append::Written) -> Success {
    Success {
        current_revision_option: Some(match written.revisions.first() {
            Some(Some(revision)) => CurrentRevisionOption::CurrentRevision(*revision),
            Some(None) | None => CurrentRevisionOption::NoStream(()),
        }),
        position_option: Some(match written.position {
            Some(position) => PositionOption::Position(all_position(position)),
            None => PositionOption::NoPosition(()),
        }),
    }
}

/// The same refusals as of a single append, with a typed detail.
fn detailed(refusal: Refusal) -> Detailed {
    let (code, details) = match &refusal {
        Refusal::WrongExpected { expected, current, .. } => {
            (Code::FailedPrecondition, detail("WrongExpectedVersion", &wrong(*expected, *current)))
        }
        Refusal::Tombstoned { stream } => {
            let deleted = wire::StreamDeleted { stream_identifier: identifier(stream) };
            (Code::FailedPrecondition, detail("StreamDeleted", &deleted))
        }
        Refusal::EventTooLarge { .. } | Refusal::AppendTooLarge { .. } => {
            let max_append_size = u32::try_from(refusal.bytes_max()).unwrap_or(u32::MAX);
            let exceeded = wire::MaximumAppendSizeExceeded { max_append_size };
            (Code::InvalidArgument, detail("MaximumAppendSizeExceeded", &exceeded))
        }
        Refusal::Malformed(why) => {
            let bad = wire::BadRequest { message: why.clone() };
            (Code::InvalidArgument, detail("BadRequest", &bad))
        }
        Refusal::Busy | Refusal::Violated(_) => {
            (Code::ResourceExhausted, detail("Unknown", &wire::Unknown {}))
        }
        Refusal::Unavailable(_) => (Code::DeadlineExceeded, detail("Timeout", &wire::Timeout {})),
    };
    let message = Status::from(refusal).message().to_owned();
    Detailed { code: code.into(), message, details: Some(details) }
}

fn detail(name: &str, message: &impl Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/event_store.client.{name}"),
        value: message.encode_to_vec(),
    }
}

fn wrong(expected: Expected, current: Option<u64>) -> wire::WrongExpectedVersion {
    wire::WrongExpectedVersion {
        current_stream_revision_option: Some(match current {
            Some(revision) => Current::CurrentStreamRevision(revision),
            None => Current::CurrentNoStream(()),
        }),
        expected_stream_position_option: Some(match expected {
            Expected::Revision(revision) => Told::ExpectedStreamPosition(revision),
            Expected::NoStream => Told::ExpectedNoStream(()),
            Expected::Exists => Told::ExpectedStreamExists(()),
            Expected::Any => Told::ExpectedAny(()),
        }),
    }
}
