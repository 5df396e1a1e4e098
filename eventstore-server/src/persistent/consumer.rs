//! The consumers of a group, and whose turn it is.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures::FutureExt;
use keynest_store::EventStore;
use tonic::Status;
use uuid::Uuid;

use super::group::Pending;
use crate::envelope::Event;
use crate::message::IdForm;
use crate::proto::event_store::client::persistent_subscriptions::read_resp::read_event::{
    Count, Position, RecordedEvent,
};
use crate::proto::event_store::client::persistent_subscriptions::read_resp::{Content, ReadEvent};
use crate::proto::event_store::client::persistent_subscriptions::{ReadResp, subscription_info};
use crate::proto::event_store::client::streams::read_resp::read_event as streams;
use crate::streams::{Reading, Sender, told};

/// A call that is open.
pub(super) struct Consumer {
    pub id: Uuid,
    pub to: Sender<ReadResp>,
    pub ids: IdForm,
    /// Events that it takes before it answers.
    pub slots: usize,
    pub in_flight: usize,
    pub total: i64,
}

#[derive(Default)]
pub(super) struct Consumers {
    all: Vec<Consumer>,
    turn: usize,
}

impl Consumers {
    pub(super) fn add(&mut self, consumer: Consumer) {
        self.all.push(consumer);
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        self.all.retain(|it| it.id != id);
    }

    pub(super) fn free(&mut self, id: Uuid) {
        if let Some(consumer) = self.all.iter_mut().find(|it| it.id == id) {
            consumer.in_flight = consumer.in_flight.saturating_sub(1);
        }
    }

    /// Who hears of this event; nobody while those who might have enough to do.
    pub(super) fn choose(&mut self, strategy: &str, event: &Event) -> Option<Uuid> {
        let count = self.all.len();
        let has_room = |it: &&Consumer| it.in_flight < it.slots;
        let first = match strategy {
            "DispatchToSingle" => 0,
            "Pinned" | "PinnedByCorrelation" => {
                let mut hasher = DefaultHasher::new();
                pinned_by(strategy, event).hash(&mut hasher);
                let index = usize::try_from(hasher.finish() % (count.max(1) as u64)).unwrap_or(0);
                return self.all.get(index).filter(has_room).map(|it| it.id);
            }
            _ => self.turn,
        };
        let chosen = (0..count).map(|step| (first + step) % count);
        let chosen = chosen.into_iter().find(|index| has_room(&&self.all[*index]))?;
        self.turn = chosen + 1;
        Some(self.all[chosen].id)
    }

    /// False if nobody is there any more.
    pub(super) async fn tell(
        &mut self,
        store: &EventStore,
        id: Uuid,
        pending: &Pending,
        resolves_links: bool,
    ) -> Result<bool, Status> {
        let Some(consumer) = self.all.iter_mut().find(|it| it.id == id) else { return Ok(false) };
        let reading = Reading { ids: consumer.ids, resolves_links, tells_ends: false };
        let event = told(store, pending.event.clone(), reading).await?;
        let event = ReadEvent {
            event: event.event.map(recorded),
            link: event.link.map(recorded),
            position: event.position.map(|it| match it {
                streams::Position::CommitPosition(at) => Position::CommitPosition(at),
                streams::Position::NoPosition(()) => Position::NoPosition(()),
            }),
            count: Some(Count::RetryCount(pending.retries)),
        };
        let answer = ReadResp { content: Some(Content::Event(event)) };
        // There is room: no more are on the way than it has slots.
        let is_told = consumer.to.try_send(Ok(answer)).is_ok();
        consumer.in_flight += 1;
        consumer.total += 1;
        Ok(is_told)
    }

    /// The next one whose call is closed.
    pub(super) async fn gone(&self) -> Uuid {
        let closed = self.all.iter().map(|it| it.to.closed().map(|()| it.id).boxed());
        futures::future::select_all(closed).await.0
    }

    pub(super) fn end_one(&self, id: Uuid, status: &Status) {
        for consumer in self.all.iter().filter(|it| it.id == id) {
            // A consumer that is behind is cut off without a reason.
            consumer.to.try_send(Err(status.clone())).ok();
        }
    }

    pub(super) fn end(&mut self, status: &Status) {
        for consumer in self.all.drain(..) {
            consumer.to.try_send(Err(status.clone())).ok();
        }
    }

    pub(super) fn told(&self) -> Vec<subscription_info::ConnectionInfo> {
        let size = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let told = |it: &Consumer| subscription_info::ConnectionInfo {
            connection_name: it.id.to_string(),
            total_items: it.total,
            available_slots: size(it.slots.saturating_sub(it.in_flight)),
            in_flight_messages: size(it.in_flight),
            ..Default::default()
        };
        self.all.iter().map(told).collect()
    }
}

fn pinned_by(strategy: &str, event: &Event) -> String {
    let correlation = || {
        let metadata: serde_json::Value = serde_json::from_slice(&event.metadata).ok()?;
        Some(metadata.get("$correlationId")?.as_str()?.to_owned())
    };
    let by_correlation = if strategy == "PinnedByCorrelation" { correlation() } else { None };
    by_correlation.unwrap_or_else(|| event.stream.clone())
}

fn recorded(event: streams::RecordedEvent) -> RecordedEvent {
    RecordedEvent {
        id: event.id,
        stream_identifier: event.stream_identifier,
        stream_revision: event.stream_revision,
        prepare_position: event.prepare_position,
        commit_position: event.commit_position,
        metadata: event.metadata,
        custom_metadata: event.custom_metadata,
        data: event.data,
    }
}
