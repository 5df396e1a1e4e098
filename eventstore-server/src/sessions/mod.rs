//! The second version of the protocol: one atomic append to several streams, with checks on others.

mod properties;
mod refused;

use keynest_store::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EventStore};
use tonic::{Request, Response, Status, Streaming};

use crate::append::{Check, Expected, Refusal, Write, append};
use crate::envelope::{JSON, Proposed};
use crate::ids::new_id;
use crate::names::checked;
use crate::proto::v2::streams_service_server::StreamsService;
use crate::proto::v2::{
    AppendRecord, AppendRecordsRequest, AppendRecordsResponse, AppendRequest, AppendResponse,
    AppendSessionResponse, ConsistencyCheck, SchemaFormat, StreamRevision, consistency_check,
};

pub(crate) struct SessionsService {
    pub store: EventStore,
}

#[tonic::async_trait]
impl StreamsService for SessionsService {
    async fn append_session(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<AppendSessionResponse>, Status> {
        let mut request = request.into_inner();
        let mut writes: Vec<Write> = Vec::new();
        let mut bytes = 0;
        while let Some(part) = request.message().await? {
            let stream = checked(part.stream).map_err(Status::invalid_argument)?;
            if writes.iter().any(|write| write.stream == stream) {
                return Err(refused::twice(&stream));
            }
            if part.records.is_empty() {
                return Err(Status::invalid_argument(format!("no records for stream {stream}")));
            }
            let events = part.records.into_iter().map(proposed).collect::<Result<Vec<_>, _>>()?;
            bytes += size(&events);
            let expected = expected(part.expected_revision.unwrap_or(-2))?;
            writes.push(Write { stream, expected, events });
            let events = writes.iter().map(|write| write.events.len()).sum();
            if bytes > APPEND_BYTES_MAX || events > APPEND_EVENTS_MAX {
                return Err(refused::status(Refusal::AppendTooLarge { bytes, events }));
            }
        }
        if writes.is_empty() {
            return Err(Status::failed_precondition("an append session has requests"));
        }
        let (position, revisions) = run(&self.store, &writes, &[]).await?;
        let output = revisions.into_iter().map(|StreamRevision { stream, revision }| {
            AppendResponse { stream, stream_revision: revision, position: None }
        });
        Ok(Response::new(AppendSessionResponse { output: output.collect(), position }))
    }

    async fn append_records(
        &self,
        request: Request<AppendRecordsRequest>,
    ) -> Result<Response<AppendRecordsResponse>, Status> {
        let AppendRecordsRequest { records, checks } = request.into_inner();
        let checks = checks.into_iter().map(check).collect::<Result<Vec<_>, _>>()?;
        let writes = grouped(records, &checks)?;
        if writes.is_empty() {
            return Err(Status::invalid_argument("an append has records"));
        }
        let (position, revisions) = run(&self.store, &writes, &checks).await?;
        Ok(Response::new(AppendRecordsResponse { revisions, position }))
    }
}

async fn run(
    store: &EventStore,
    writes: &[Write],
    checks: &[Check],
) -> Result<(i64, Vec<StreamRevision>), Status> {
    let written = append(store, writes, checks).await.map_err(refused::status)?;
    let position = written.position.map_or(0, |it| it.to_stored().cast_signed());
    let revisions = writes.iter().zip(written.revisions).map(|(write, revision)| StreamRevision {
        stream: write.stream.clone(),
        revision: revision.map_or(-1, u64::cast_signed),
    });
    Ok((position, revisions.collect()))
}

/// The log keeps the events of one append stream by stream, each in the order they were sent in.
fn grouped(records: Vec<AppendRecord>, checks: &[Check]) -> Result<Vec<Write>, Status> {
    let mut writes: Vec<Write> = Vec::new();
    for mut record in records {
        let stream = std::mem::take(&mut record.stream);
        let stream = checked(stream).map_err(Status::invalid_argument)?;
        let event = proposed(record)?;
        match writes.iter_mut().find(|write| write.stream == stream) {
            Some(write) => write.events.push(event),
            None => {
                let of_it = checks.iter().find(|check| check.stream == stream);
                let expected = of_it.map_or(Expected::Any, |check| check.expected);
                writes.push(Write { stream, expected, events: vec![event] });
            }
        }
    }
    Ok(writes)
}

fn check(check: ConsistencyCheck) -> Result<Check, Status> {
    let Some(consistency_check::Type::StreamState(check)) = check.r#type else {
        return Err(Status::invalid_argument("a check is of a stream's state"));
    };
    let stream = checked(check.stream).map_err(Status::invalid_argument)?;
    Ok(Check { stream, expected: expected(check.expected_state)? })
}

fn expected(number: i64) -> Result<Expected, Status> {
    match number {
        -1 => Ok(Expected::NoStream),
        -2 => Ok(Expected::Any),
        -4 => Ok(Expected::Exists),
        0.. => Ok(Expected::Revision(number.cast_unsigned())),
        _ => Err(Status::invalid_argument(format!("{number} is no expected revision"))),
    }
}

fn proposed(record: AppendRecord) -> Result<Proposed, Status> {
    let id = match record.record_id {
        Some(id) => id.parse().map_err(|_| Status::invalid_argument("record id is not a UUID"))?,
        None => new_id(),
    };
    let schema = record.schema.unwrap_or_default();
    if schema.name.is_empty() {
        return Err(Status::invalid_argument("record has no schema name"));
    }
    let content_type = match schema.format() {
        SchemaFormat::Json => JSON,
        SchemaFormat::Unspecified
        | SchemaFormat::Protobuf
        | SchemaFormat::Avro
        | SchemaFormat::Bytes => "application/octet-stream",
    };
    Ok(Proposed {
        id,
        kind: schema.name,
        content_type: content_type.to_owned(),
        metadata: properties::to_json(record.properties)?,
        data: record.data,
    })
}

fn size(events: &[Proposed]) -> usize {
    events.iter().map(|event| event.data.len() + event.metadata.len()).sum()
}
