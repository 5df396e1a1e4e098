//! One append, sent as a header and its events.

use keynest_store::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EventStore};
use tonic::{Status, Streaming};

use crate::append::{Expected, Refusal, Write, append as append_all};
use crate::message::proposed;
use crate::names::asked;
use crate::proto::event_store::client::streams::append_req::options::ExpectedStreamRevision;
use crate::proto::event_store::client::streams::append_req::{Content, Options};
use crate::proto::event_store::client::streams::append_resp::success::{
    CurrentRevisionOption, PositionOption,
};
use crate::proto::event_store::client::streams::append_resp::wrong_expected_version::{
    CurrentRevisionOption as Current, CurrentRevisionOption2060 as OldCurrent,
    ExpectedRevisionOption as Wanted, ExpectedRevisionOption2060 as OldWanted,
};
use crate::proto::event_store::client::streams::append_resp::{
    Position, Result as Outcome, Success, WrongExpectedVersion,
};
use crate::proto::event_store::client::streams::{AppendReq, AppendResp};

pub(super) async fn append(
    store: &EventStore,
    mut request: Streaming<AppendReq>,
) -> Result<AppendResp, Status> {
    let write = receive(&mut request).await?;
    let outcome = match append_all(store, std::slice::from_ref(&write), &[]).await {
        Ok(written) => Outcome::Success(Success {
            current_revision_option: Some(match written.revisions.first() {
                Some(Some(revision)) => CurrentRevisionOption::CurrentRevision(*revision),
                Some(None) | None => CurrentRevisionOption::NoStream(()),
            }),
            position_option: Some(match written.position.map(|it| it.to_stored()) {
                Some(at) => {
                    PositionOption::Position(Position { commit_position: at, prepare_position: at })
                }
                None => PositionOption::NoPosition(()),
            }),
        }),
        Err(Refusal::WrongExpected { expected, current, .. }) => {
            Outcome::WrongExpectedVersion(wrong(expected, current))
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(AppendResp { result: Some(outcome) })
}

async fn receive(request: &mut Streaming<AppendReq>) -> Result<Write, Status> {
    let first = request.message().await?.and_then(|it| it.content);
    let Some(Content::Options(Options { stream_identifier, expected_stream_revision })) = first
    else {
        return Err(Status::invalid_argument("an append begins with its options"));
    };
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(next) = request.message().await? {
        let Some(Content::ProposedMessage(event)) = next.content else {
            return Err(Status::invalid_argument("an append has options once"));
        };
        bytes += event.data.len() + event.custom_metadata.len();
        events.push(proposed(event.id, event.metadata, event.custom_metadata, event.data)?);
        // Refused here so that nobody sends without end.
        if bytes > APPEND_BYTES_MAX || events.len() > APPEND_EVENTS_MAX {
            return Err(Refusal::AppendTooLarge { bytes, events: events.len() }.into());
        }
    }
    let expected = match expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(revision)) => Expected::Revision(revision),
        Some(ExpectedStreamRevision::NoStream(())) => Expected::NoStream,
        Some(ExpectedStreamRevision::StreamExists(())) => Expected::Exists,
        Some(ExpectedStreamRevision::Any(())) => Expected::Any,
        None => return Err(Status::invalid_argument("an append expects something")),
    };
    Ok(Write { stream: asked(stream_identifier)?, expected, events })
}

fn wrong(expected: Expected, current: Option<u64>) -> WrongExpectedVersion {
    WrongExpectedVersion {
        current_revision_option_20_6_0: Some(match current {
            Some(revision) => OldCurrent::CurrentRevision2060(revision),
            None => OldCurrent::NoStream2060(()),
        }),
        expected_revision_option_20_6_0: match expected {
            Expected::Revision(revision) => Some(OldWanted::ExpectedRevision2060(revision)),
            Expected::Any => Some(OldWanted::Any2060(())),
            Expected::Exists => Some(OldWanted::StreamExists2060(())),
            Expected::NoStream => None,
        },
        current_revision_option: Some(match current {
            Some(revision) => Current::CurrentRevision(revision),
            None => Current::CurrentNoStream(()),
        }),
        expected_revision_option: Some(match expected {
            Expected::Revision(revision) => Wanted::ExpectedRevision(revision),
            Expected::Any => Wanted::ExpectedAny(()),
            Expected::Exists => Wanted::ExpectedStreamExists(()),
            Expected::NoStream => Wanted::ExpectedNoStream(()),
        }),
    }
}
