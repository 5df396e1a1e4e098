//! Links: events that stand for another stream's event, `revision@stream`.

use keynest_store::{EventStore, Revision};
use tonic::Status;

use super::request::Reading;
use crate::envelope::Event;
use crate::message::read_event;
use crate::names::stored;
use crate::proto::event_store::client::streams::read_resp::ReadEvent;
use crate::status::unreadable;

const LINK_TYPE: &str = "$>";

/// The event, or what it links to where the client wants that. A link to nothing is told without an event.
pub(crate) async fn told(
    store: &EventStore,
    event: Event,
    reading: Reading,
) -> Result<ReadEvent, Status> {
    if !reading.resolves_links || event.kind != LINK_TYPE {
        return Ok(read_event(Some(event), None, reading.ids));
    }
    let target = match parse(&event.data) {
        Some((revision, stream)) => {
            let page = store.read_stream_page(&stored(stream), Revision::new(revision), 1).await;
            page.map_err(unreadable)?.into_iter().next().map(Event::from)
        }
        None => None,
    };
    Ok(read_event(target, Some(event), reading.ids))
}

fn parse(data: &[u8]) -> Option<(u32, &str)> {
    let (revision, stream) = std::str::from_utf8(data).ok()?.split_once('@')?;
    Some((revision.parse().ok()?, stream))
}
