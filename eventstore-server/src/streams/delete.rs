//! Deleting a stream, to be written again, and ending it for ever. The log keeps every event; what is visible changes.

use keynest_domain::CommandId;
use keynest_store::{
    Append, AppendError, EventStore, Expected as Stored, Metadata, NewEvent, Position, Revision,
    StreamAppend,
};
use tonic::Status;

use crate::append::{Expected, Refusal, last_revision};
use crate::envelope::{JSON, Proposed, REVISION_MAX, tombstone as end_of_stream};
use crate::guard::Guard;
use crate::ids::new_id;
use crate::names::{asked, is_settings, stored};
use crate::proto::event_store::client::streams::{
    DeleteReq, DeleteResp, TombstoneReq, TombstoneResp, delete_req, delete_resp, tombstone_req,
    tombstone_resp,
};

/// How often it is tried again because the stream or its settings changed meanwhile.
const ATTEMPTS_MAX: usize = 32;

/// The two requests have options of the same shape; who expects nothing says nothing.
macro_rules! expected_by {
    ($options:ident, $module:ident) => {{
        use $module::options::ExpectedStreamRevision as Wanted;
        match $options.expected_stream_revision {
            Some(Wanted::Revision(revision)) => Expected::Revision(revision),
            Some(Wanted::NoStream(())) => Expected::NoStream,
            Some(Wanted::StreamExists(())) => Expected::Exists,
            Some(Wanted::Any(())) | None => Expected::Any,
        }
    }};
}

pub(super) async fn delete(store: &EventStore, request: DeleteReq) -> Result<DeleteResp, Status> {
    let options = request.options.unwrap_or_default();
    let expected = expected_by!(options, delete_req);
    let stream = asked(options.stream_identifier)?;
    let hidden = |guard: &Guard| {
        let event = Proposed {
            id: new_id(),
            kind: "$metadata".to_owned(),
            content_type: JSON.to_owned(),
            metadata: bytes::Bytes::new(),
            data: guard.text_with_truncation(REVISION_MAX).to_string().into(),
        };
        event.seal()
    };
    let at = change_settings(store, &stream, expected, hidden).await?.to_stored();
    let position = delete_resp::Position { commit_position: at, prepare_position: at };
    Ok(DeleteResp { position_option: Some(delete_resp::PositionOption::Position(position)) })
}

pub(super) async fn tombstone(
    store: &EventStore,
    request: TombstoneReq,
) -> Result<TombstoneResp, Status> {
    let options = request.options.unwrap_or_default();
    let expected = expected_by!(options, tombstone_req);
    let stream = asked(options.stream_identifier)?;
    let at = change_settings(store, &stream, expected, |_| end_of_stream()).await?.to_stored();
    let position = tombstone_resp::Position { commit_position: at, prepare_position: at };
    Ok(TombstoneResp { position_option: Some(tombstone_resp::PositionOption::Position(position)) })
}

/// Appends to a stream's settings while the stream is as expected.
async fn change_settings(
    store: &EventStore,
    stream: &str,
    expected: Expected,
    event: impl Fn(&Guard) -> NewEvent,
) -> Result<Position, Refusal> {
    if is_settings(stream) {
        return Err(Refusal::Malformed("the stream of a stream's settings stays".to_owned()));
    }
    for _ in 0..ATTEMPTS_MAX {
        let guard = Guard::load(store, stream).await?;
        if guard.is_tombstoned {
            return Err(Refusal::Tombstoned { stream: stream.to_owned() });
        }
        let events = store.stream_revision(&stored(stream)).await?;
        let current = last_revision(store, &guard, stream).await?;
        if !expected.holds(current) {
            return Err(Refusal::WrongExpected { stream: stream.to_owned(), expected, current });
        }
        match store.append(guarded(stream, expected, &guard, events, event(&guard))).await {
            Ok(appended) => return Ok(appended.position),
            Err(AppendError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

fn guarded(
    stream: &str,
    expected: Expected,
    guard: &Guard,
    events: Revision,
    event: NewEvent,
) -> Append {
    let checks = match expected {
        Expected::Any => Vec::new(),
        Expected::NoStream | Expected::Exists | Expected::Revision(_) => {
            vec![(stored(stream), events)]
        }
    };
    Append {
        command_id: CommandId::new(new_id()),
        streams: vec![StreamAppend {
            stream: guard.stream.clone(),
            expected: Stored::Exact(guard.at),
            events: vec![event],
        }],
        checks,
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata::default(),
    }
}
