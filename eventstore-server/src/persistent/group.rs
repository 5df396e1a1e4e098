//! One group at work: events go to its consumers and come back acknowledged, refused or too late.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use keynest_store::EventStore;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use super::config::{Config, GroupKey};
use super::consumer::{Consumer, Consumers};
use super::feed::Feed;
use super::info::Statistics;
use super::records::{self, Parked};
use crate::envelope::Event;
use crate::proto::event_store::client::persistent_subscriptions::read_req::nack::Action;
use crate::status::unreadable;

/// Events that wait for a consumer; then nothing further is read.
const WAITING_MAX: usize = 512;

pub(super) enum Command {
    Connect(Consumer, oneshot::Sender<Result<(), Status>>),
    Disconnect(Uuid),
    Ack(Vec<Uuid>),
    Nack {
        ids: Vec<Uuid>,
        action: Action,
        reason: String,
        consumer: Uuid,
    },
    Replay {
        until: Option<u64>,
        done: oneshot::Sender<Result<(), Status>>,
    },
    Tell(oneshot::Sender<Statistics>),
    /// Consumers are told that the group was dropped.
    End,
}

/// An event that is not settled.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub event: Event,
    pub retries: i32,
    /// Where it was read; none for one that had been parked.
    pub place: Option<u64>,
}

struct InFlight {
    pending: Pending,
    due: Instant,
    consumer: Uuid,
}

pub(super) struct Group {
    store: EventStore,
    key: GroupKey,
    config: Config,
    commands: mpsc::Receiver<Command>,
    feed: Feed,
    waiting: VecDeque<Pending>,
    in_flight: HashMap<Uuid, InFlight>,
    consumers: Consumers,
    /// Places that are read and not settled.
    open: BTreeSet<u64>,
    /// Behind the last place that was read.
    read_until: u64,
    checkpoint: Option<u64>,
    checkpoint_due: Option<Instant>,
    settled: u64,
    handed_out: i64,
}

impl Group {
    pub(super) async fn start(
        store: EventStore,
        key: GroupKey,
        config: Config,
    ) -> Result<mpsc::Sender<Command>, Status> {
        let (sender, commands) = mpsc::channel(64);
        let checkpoint = records::read_checkpoint(&store, &key).await.map_err(unreadable)?;
        let next = checkpoint.map_or(config.first, |place| place.saturating_add(1));
        let group = Self {
            feed: Feed::new(&store, &key, &config, next)?,
            read_until: next,
            store,
            key,
            config,
            commands,
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
            consumers: Consumers::default(),
            open: BTreeSet::new(),
            checkpoint,
            checkpoint_due: None,
            settled: 0,
            handed_out: 0,
        };
        tokio::spawn(group.run());
        Ok(sender)
    }

    async fn run(mut self) {
        loop {
            if let Err(status) = self.hand_out().await {
                return self.consumers.end(&status);
            }
            let wants_more = self.waiting.len() < WAITING_MAX && !self.consumers.is_empty();
            let due = self.in_flight.values().map(|it| it.due).chain(self.checkpoint_due).min();
            let result = tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => match self.obey(command).await {
                        Ok(ControlFlow::Continue(())) => Ok(()),
                        Ok(ControlFlow::Break(())) => return,
                        Err(status) => Err(status),
                    },
                    None => return,
                },
                read = self.feed.next(), if wants_more => read.map(|it| self.take(it)).map_err(unreadable),
                gone = self.consumers.gone(), if !self.consumers.is_empty() => {
                    self.disconnect(gone);
                    Ok(())
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.expire().await,
            };
            if let Err(status) = result {
                // Consumers connect again; the next one starts the group from its checkpoint.
                return self.consumers.end(&status);
            }
        }
    }

    fn take(&mut self, events: Vec<(u64, Event)>) {
        for (place, event) in events {
            self.read_until = place + 1;
            self.open.insert(place);
            self.waiting.push_back(Pending { event, retries: 0, place: Some(place) });
        }
    }

    async fn hand_out(&mut self) -> Result<(), Status> {
        while let Some(pending) = self.waiting.front() {
            let Some(consumer) =
                self.consumers.choose(&self.config.settings.strategy, &pending.event)
            else {
                break;
            };
            let Some(pending) = self.waiting.pop_front() else { break };
            let resolves_links = self.config.settings.resolves_links;
            let id = pending.event.id;
            if self.consumers.tell(&self.store, consumer, &pending, resolves_links).await? {
                let timeout = self.config.settings.message_timeout_ms;
                let timeout = Duration::from_millis(u64::from(timeout.unsigned_abs()));
                // No time limit is written as zero.
                let timeout = if timeout.is_zero() { Duration::from_secs(86_400) } else { timeout };
                self.handed_out += 1;
                let due = Instant::now() + timeout;
                self.in_flight.insert(id, InFlight { pending, due, consumer });
            } else {
                self.waiting.push_front(pending);
                self.disconnect(consumer);
            }
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) -> Result<ControlFlow<()>, Status> {
        match command {
            Command::Connect(consumer, answer) => {
                let most = usize::try_from(self.config.settings.subscribers_max).unwrap_or(0);
                let result = if most > 0 && self.consumers.len() >= most {
                    Err(records::refused(
                        &self.key,
                        tonic::Code::FailedPrecondition,
                        "maximum-subscribers-reached",
                    ))
                } else {
                    self.consumers.add(consumer);
                    Ok(())
                };
                // Whoever has gone is noticed by the closed channel.
                answer.send(result).ok();
            }
            Command::Disconnect(consumer) => self.disconnect(consumer),
            Command::Ack(ids) => {
                for id in ids {
                    self.settle(id);
                }
                self.maybe_checkpoint().await?;
            }
            Command::Nack { ids, action, reason, consumer } => {
                for id in ids {
                    self.refuse(id, action, &reason).await?;
                }
                if action == Action::Stop {
                    self.consumers.end_one(consumer, &Status::cancelled("stopped by the consumer"));
                    self.disconnect(consumer);
                }
                self.maybe_checkpoint().await?;
            }
            Command::Replay { until, done } => {
                let replayed = records::unpark(&self.store, &self.key, until).await;
                let result = replayed.map(|events| {
                    let again = |event| Pending { event, retries: 0, place: None };
                    self.waiting.extend(events.into_iter().map(again));
                });
                done.send(result).ok();
            }
            Command::Tell(answer) => {
                answer.send(self.statistics()).ok();
            }
            Command::End => {
                let dropped = records::refused(
                    &self.key,
                    tonic::Code::Cancelled,
                    "persistent-subscription-dropped",
                );
                self.consumers.end(&dropped);
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn settle(&mut self, id: Uuid) -> Option<Pending> {
        let InFlight { pending, consumer, .. } = self.in_flight.remove(&id)?;
        self.consumers.free(consumer);
        if let Some(place) = pending.place {
            self.open.remove(&place);
        }
        self.settled += 1;
        Some(pending)
    }

    async fn refuse(&mut self, id: Uuid, action: Action, reason: &str) -> Result<(), Status> {
        match action {
            Action::Skip | Action::Stop => drop(self.settle(id)),
            Action::Park => {
                if let Some(pending) = self.settle(id) {
                    self.park(pending, reason).await?;
                }
            }
            Action::Retry | Action::Unknown => self.again(id, reason).await?,
        }
        Ok(())
    }

    /// To the next consumer, or aside if that was tried often enough.
    async fn again(&mut self, id: Uuid, reason: &str) -> Result<(), Status> {
        let Some(InFlight { mut pending, consumer, .. }) = self.in_flight.remove(&id) else {
            return Ok(());
        };
        self.consumers.free(consumer);
        pending.retries += 1;
        if pending.retries > self.config.settings.retries_max {
            if let Some(place) = pending.place {
                self.open.remove(&place);
            }
            self.settled += 1;
            return self.park(pending, reason).await;
        }
        self.waiting.push_front(pending);
        Ok(())
    }

    async fn park(&self, pending: Pending, reason: &str) -> Result<(), Status> {
        records::park(&self.store, &self.key, Parked { event: pending.event, reason }).await
    }

    async fn expire(&mut self) -> Result<(), Status> {
        let now = Instant::now();
        let late = self.in_flight.iter().filter(|(_, it)| it.due <= now);
        for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.again(id, "message timed out").await?;
        }
        if self.checkpoint_due.is_some_and(|due| due <= now) {
            self.checkpoint_due = None;
            self.write_checkpoint().await?;
        }
        Ok(())
    }

    fn disconnect(&mut self, consumer: Uuid) {
        self.consumers.remove(consumer);
        let lost = self.in_flight.iter().filter(|(_, it)| it.consumer == consumer);
        let mut lost: Vec<(Option<u64>, Uuid)> =
            lost.map(|(id, it)| (it.pending.place, *id)).collect();
        // The earliest is handed out first again.
        lost.sort_unstable_by(|a, b| b.cmp(a));
        for (_, id) in lost {
            if let Some(InFlight { pending, .. }) = self.in_flight.remove(&id) {
                self.waiting.push_front(pending);
            }
        }
    }

    async fn maybe_checkpoint(&mut self) -> Result<(), Status> {
        let settings = &self.config.settings;
        let at_least = |count: i32| self.settled >= u64::from(count.max(1).unsigned_abs());
        if settings.checkpoint_events_max > 0 && at_least(settings.checkpoint_events_max) {
            return self.write_checkpoint().await;
        }
        if at_least(settings.checkpoint_events_min) && self.checkpoint_due.is_none() {
            let after =
                Duration::from_millis(u64::from(settings.checkpoint_after_ms.unsigned_abs()));
            self.checkpoint_due = Some(Instant::now() + after);
        }
        Ok(())
    }

    /// The last place up to which everything is settled.
    async fn write_checkpoint(&mut self) -> Result<(), Status> {
        let next = self.open.first().copied().unwrap_or(self.read_until);
        self.settled = 0;
        match next.checked_sub(1) {
            Some(place)
                if self.checkpoint.is_none_or(|known| known < place)
                    && place >= self.config.first =>
            {
                records::write_checkpoint(&self.store, &self.key, place).await?;
                self.checkpoint = Some(place);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    fn statistics(&self) -> Statistics {
        let size = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Statistics {
            connections: self.consumers.told(),
            total: self.handed_out,
            in_flight: size(self.in_flight.len()),
            waiting: size(self.waiting.len()),
            retrying: size(self.waiting.iter().filter(|it| it.retries > 0).count()),
            checkpoint: self.checkpoint,
            known: self.read_until.checked_sub(1).filter(|place| *place >= self.config.first),
        }
    }
}
