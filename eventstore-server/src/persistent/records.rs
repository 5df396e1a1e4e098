//! What a group keeps in the log: its checkpoints, and what was parked.

use bytes::Bytes;
use keynest_store::{EventStore, ReadError, Recorded, Revision};
use serde_json::json;
use tonic::{Code, Status};

use super::config::GroupKey;
use crate::append::{Expected, Write, append};
use crate::envelope::{Event, JSON, Proposed, REVISION_MAX};
use crate::guard::Guard;
use crate::ids::new_id;
use crate::names::{settings_of, stored};
use crate::status::{named, unreadable};

const CHECKPOINT_TYPE: &str = "$SubscriptionCheckpoint";
const LINK_TYPE: &str = "$>";
const SETTINGS_TYPE: &str = "$metadata";

/// An event that was put aside.
pub(super) struct Parked<'a> {
    pub event: Event,
    pub reason: &'a str,
}

/// A refusal about a group, as clients know it.
pub(super) fn refused(key: &GroupKey, code: Code, exception: &'static str) -> Status {
    let told = [("stream-name", key.source()), ("group-name", &*key.group)];
    let (group, source) = (&key.group, key.source());
    let message = match exception {
        "persistent-subscription-does-not-exist" => {
            format!("Subscription group {group} on stream {source} does not exist.")
        }
        "persistent-subscription-exists" => {
            format!("Subscription group {group} on stream {source} exists.")
        }
        "maximum-subscribers-reached" => {
            format!(
                "Maximum subscriptions reached for subscription group {group} on stream {source}."
            )
        }
        _ => format!("Subscription group {group} on stream {source} was dropped."),
    };
    named(code, message, exception, &told)
}

pub(super) async fn read_checkpoint(
    store: &EventStore,
    key: &GroupKey,
) -> Result<Option<u64>, ReadError> {
    let last = last_of(store, &key.checkpoints()).await?;
    Ok(last.and_then(|it| serde_json::from_slice(&Event::from(it).data).ok()))
}

pub(super) async fn write_checkpoint(
    store: &EventStore,
    key: &GroupKey,
    place: u64,
) -> Result<(), Status> {
    let data = Bytes::from(place.to_string());
    write(store, key.checkpoints(), CHECKPOINT_TYPE, JSON, data, Bytes::new()).await
}

/// A group of this name that is made later begins anew.
pub(super) async fn forget(store: &EventStore, key: &GroupKey) -> Result<(), Status> {
    for stream in [key.checkpoints(), key.parked()] {
        let guard = Guard::load(store, &stream).await.map_err(unreadable)?;
        let events = store.stream_revision(&stored(&stream)).await.map_err(unreadable)?;
        if events != Revision::NONE {
            let settings = guard.text_with_truncation(REVISION_MAX).to_string();
            let stream = settings_of(&stream).as_str().to_owned();
            write(store, stream, SETTINGS_TYPE, JSON, settings.into(), Bytes::new()).await?;
        }
    }
    Ok(())
}

/// Puts an event aside, as a link to it.
pub(super) async fn park(
    store: &EventStore,
    key: &GroupKey,
    parked: Parked<'_>,
) -> Result<(), Status> {
    let Parked { event, reason } = parked;
    let link = Bytes::from(format!("{}@{}", event.revision, event.stream));
    let why = Bytes::from(json!({ "reason": reason }).to_string());
    write(store, key.parked(), LINK_TYPE, "application/octet-stream", link, why).await
}

/// How many are put aside.
pub(super) async fn count_parked(store: &EventStore, key: &GroupKey) -> Result<i64, ReadError> {
    let parked = key.parked();
    let events = store.stream_revision(&stored(&parked)).await?;
    let first = Guard::load(store, &parked).await?.settings.first_visible(events);
    let visible = u64::from(events.get()).saturating_sub(first);
    Ok(visible.cast_signed())
}

/// Takes back what was put aside, at most so many, the earliest first.
pub(super) async fn unpark(
    store: &EventStore,
    key: &GroupKey,
    most: Option<u64>,
) -> Result<Vec<Event>, Status> {
    let parked = key.parked();
    let guard = Guard::load(store, &parked).await.map_err(unreadable)?;
    let events = store.stream_revision(&stored(&parked)).await.map_err(unreadable)?;
    let first = guard.settings.first_visible(events);
    let first = Revision::new(u32::try_from(first).unwrap_or(u32::MAX));
    let links = store.read_stream(&stored(&parked), first).await.map_err(unreadable)?;
    let most = most.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut until = first;
    for link in links.into_iter().take(most) {
        until = link.revision;
        if let Some(event) = linked(store, &Event::from(link)).await.map_err(unreadable)? {
            found.push(event);
        }
    }
    if until > first {
        let settings = guard.text_with_truncation(u64::from(until.get())).to_string();
        let stream = settings_of(&parked).as_str().to_owned();
        write(store, stream, SETTINGS_TYPE, JSON, settings.into(), Bytes::new()).await?;
    }
    Ok(found)
}

async fn linked(store: &EventStore, link: &Event) -> Result<Option<Event>, ReadError> {
    let text = std::str::from_utf8(&link.data).ok().and_then(|it| it.split_once('@'));
    let Some((revision, stream)) = text else { return Ok(None) };
    let Ok(revision) = revision.parse() else { return Ok(None) };
    let page = store.read_stream_page(&stored(stream), Revision::new(revision), 1).await?;
    Ok(page.into_iter().next().map(Event::from))
}

async fn last_of(store: &EventStore, stream: &str) -> Result<Option<Recorded>, ReadError> {
    if Guard::load(store, stream).await?.is_deleted() {
        return Ok(None);
    }
    let events = store.stream_revision(&stored(stream)).await?;
    match events.get().checked_sub(1) {
        Some(before) => {
            let page = store.read_stream_page(&stored(stream), Revision::new(before), 1).await?;
            Ok(page.into_iter().next())
        }
        None => Ok(None),
    }
}

async fn write(
    store: &EventStore,
    stream: String,
    kind: &str,
    content_type: &str,
    data: Bytes,
    metadata: Bytes,
) -> Result<(), Status> {
    let (kind, content_type) = (kind.to_owned(), content_type.to_owned());
    let event = Proposed { id: new_id(), kind, content_type, metadata, data };
    let write = Write { stream, expected: Expected::Any, events: vec![event] };
    append(store, &[write], &[]).await?;
    Ok(())
}
