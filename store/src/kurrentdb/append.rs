//! An append as one call that the server does as a whole or not at all, sent until its outcome is known.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use keynest_domain::StreamName;
use keynest_eventstore_protocol::v2::consistency_check::{StreamStateCheck, Type};
use keynest_eventstore_protocol::v2::{
    AppendRecordsRequest, AppendRecordsResponse, ConsistencyCheck,
};
use tokio::time::{Instant, sleep};
use tonic::Status;
use uuid::Uuid;

use super::Kurrent;
use super::claims::{Claim, records};
use super::command::{Done, Noted, abandoned, done};
use super::connection::cause;
use super::record::record;
use super::refusal::{Answer, answer};
use crate::port::*;

/// How often an append is sent anew because names or its command were found otherwise than it expected.
const ROUNDS_MAX: u32 = 32;

/// Where an append that is being sent stands.
pub(super) struct Sending<'a> {
    log: &'a Kurrent,
    append: &'a Append,
    command_at: Revision,
    /// Names as they were found; what is not here is taken to be new.
    claims: HashMap<ClaimKey, Claim>,
    sent: Vec<Uuid>,
    /// Where the command stood for the last sending whose outcome is not known: such a one may yet come true.
    unclear_at: Option<Revision>,
    until: Instant,
    pause: Duration,
}

/// What a check of a sending stands for, in the order in which refusals are told.
#[derive(Clone, Debug)]
enum Guard {
    Command,
    Stream(StreamName, Revision),
    Claim(ClaimKey),
}

struct Request {
    records: AppendRecordsRequest,
    guards: Vec<Guard>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(log: &'a Kurrent, append: &'a Append) -> Self {
        let options = log.options();
        Self {
            log,
            append,
            command_at: Revision::NONE,
            claims: HashMap::new(),
            sent: Vec::new(),
            unclear_at: None,
            until: Instant::now() + options.resend_for,
            pause: options.resend_pause,
        }
    }

    pub(super) async fn run(mut self) -> Result<Appended, AppendError> {
        // Names that are given back are expected to be held; names that are taken, to be new.
        self.look_at(self.append.releases.clone()).await?;
        let mut rounds = 0;
        while rounds < ROUNDS_MAX {
            if self.cannot_hold() {
                if let Some(conflict) = self.judge().await? {
                    return self.refuse(AppendError::Conflict(conflict)).await;
                }
                rounds += 1;
                self.look_at(self.claims.keys().cloned().collect()).await?;
                continue;
            }
            let request = self.request();
            match self.send(request.records).await {
                Answer::Done(response) => return self.placed(&response).await,
                Answer::Violated(found) => {
                    rounds += 1;
                    let found = found
                        .into_iter()
                        .filter_map(|it| Some((request.guards.get(it.check)?.clone(), it.actual)));
                    if let Some(why) = self.learn(found.collect(), rounds).await? {
                        return self.refuse(why).await;
                    }
                }
                Answer::Refused(error) => return self.refuse(error).await,
                Answer::Unclear(status) => {
                    self.unclear_at = Some(self.command_at);
                    if !self.wait().await {
                        return self.give_up(status).await;
                    }
                }
            }
        }
        self.refuse(AppendError::Busy).await
    }

    async fn look_at(&mut self, keys: Vec<ClaimKey>) -> Result<(), AppendError> {
        loop {
            match self.log.claims(keys.clone()).await {
                Ok(found) => {
                    self.claims.extend(found);
                    return Ok(());
                }
                Err(status) if !self.wait().await => return Err(unavailable(status)),
                Err(_) => {}
            }
        }
    }

    /// Whether no state of the log lets it through, as far as is known: there is no use in sending it.
    fn cannot_hold(&self) -> bool {
        let is_held = |(key, _): &(ClaimKey, StreamName)| {
            self.claims.get(key).is_some_and(|claim| claim.holder.is_some())
                && !self.append.releases.contains(key)
        };
        let contradicts = |(stream, at): &(StreamName, Revision)| {
            self.append.streams.iter().any(|part| {
                part.stream == *stream
                    && matches!(part.expected, Expected::Exact(exact) if exact != *at)
            })
        };
        self.append.claims.iter().any(is_held) || self.append.checks.iter().any(contradicts)
    }

    /// The first expectation that does not hold, by reading.
    async fn judge(&self) -> Result<Option<Conflict>, AppendError> {
        for (stream, expected) in self.expectations() {
            let actual = self.log.stream_revision(stream).await.map_err(unread)?;
            if actual != expected {
                return Ok(Some(Conflict::Revision { stream: stream.clone(), expected, actual }));
            }
        }
        for (key, _) in &self.append.claims {
            if self.append.releases.contains(key) {
                continue;
            }
            if let Some(holder) = self.log.claim(key).await.map_err(unavailable)?.holder {
                return Ok(Some(Conflict::Claim { key: key.clone(), holder }));
            }
        }
        Ok(None)
    }

    /// Written streams first, then those that are checked.
    fn expectations(&self) -> impl Iterator<Item = (&StreamName, Revision)> {
        let written = self.append.streams.iter().filter_map(|part| match part.expected {
            Expected::Exact(revision) => Some((&part.stream, revision)),
            Expected::Any => None,
        });
        written.chain(self.append.checks.iter().map(|(stream, at)| (stream, *at)))
    }

    fn request(&mut self) -> Request {
        let (append, names) = (self.append, self.log.names());
        let sending = fresh_id();
        self.sent.push(sending);
        let mut index = 0..;
        let events: usize = append.streams.iter().map(|part| part.events.len()).sum();
        let mut all = vec![done(names.command(append.command_id), sending, events)];
        for part in &append.streams {
            let events = index.by_ref().zip(&part.events);
            all.extend(events.map(|event| record(names, append, &part.stream, event)));
        }
        all.extend(records(names, append, &self.claims, fresh_id));

        let mut guards = vec![Guard::Command];
        let mut checks = vec![check(names.command(append.command_id), self.command_at)];
        for (stream, at) in self.expectations() {
            let name = names.stream(stream);
            // The same stream may be written and checked, at the same revision.
            if guards.iter().all(|guard| !matches!(guard, Guard::Stream(it, _) if it == stream)) {
                checks.push(check(name, at));
                guards.push(Guard::Stream(stream.clone(), at));
            }
        }
        let mut seen = HashSet::new();
        let taken = append.claims.iter().map(|(key, _)| key);
        for key in taken.chain(&append.releases).filter(|key| seen.insert(*key)) {
            let at = self.claims.get(key).map_or(Revision::NONE, |claim| claim.at);
            checks.push(check(names.claim(key), at));
            guards.push(Guard::Claim(key.clone()));
        }
        Request { records: AppendRecordsRequest { records: all, checks }, guards }
    }

    async fn send(&self, request: AppendRecordsRequest) -> Answer {
        let call = async {
            let connection = self.log.connection();
            let request = connection.request(request);
            Ok(connection.appends().await?.append_records(request).await?.into_inner())
        };
        answer(self.log.within(call).await)
    }

    /// What the violated checks mean: a conflict, or something to be sent otherwise.
    async fn learn(
        &mut self,
        found: Vec<(Guard, Revision)>,
        rounds: u32,
    ) -> Result<Option<AppendError>, AppendError> {
        let mut names = Vec::new();
        for (guard, actual) in found {
            match guard {
                Guard::Command => self.command_at = actual,
                Guard::Stream(stream, expected) => {
                    return Ok(Some(Conflict::Revision { stream, expected, actual }.into()));
                }
                Guard::Claim(key) => names.push(key),
            }
        }
        if rounds > 1 {
            // Whoever tells of one name at a time shall not be asked a thousand times.
            names = self.append.claims.iter().map(|(key, _)| key.clone()).collect();
            names.extend(self.append.releases.iter().cloned());
        }
        self.look_at(names).await?;
        // A repeat: `refuse` tells what was done.
        Ok(matches!(self.noted().await?, Noted::Done(_)).then_some(AppendError::Busy))
    }

    async fn noted(&mut self) -> Result<Noted, AppendError> {
        loop {
            match self.log.noted(self.append.command_id).await {
                Ok(noted) => return Ok(noted),
                Err(status) if !self.wait().await => return Err(unavailable(status)),
                Err(_) => {}
            }
        }
    }

    /// Nothing more is sent. What was done before is told; what may yet come true is prevented first.
    async fn refuse(&mut self, why: AppendError) -> Result<Appended, AppendError> {
        loop {
            let at = match self.noted().await? {
                Noted::Done(done) => return self.repeated(&done).await,
                Noted::Not(at) => at,
            };
            if self.unclear_at.is_none_or(|unclear| at > unclear) {
                return Err(why);
            }
            let stream = self.log.names().command(self.append.command_id);
            let records = vec![abandoned(stream.clone(), fresh_id())];
            let request = AppendRecordsRequest { records, checks: vec![check(stream, at)] };
            let status = match self.send(request).await {
                Answer::Done(_) => continue,
                Answer::Violated(_) => Status::aborted("the note of a command keeps changing"),
                // Of the note alone; the command itself may yet come true.
                Answer::Refused(error) => Status::unavailable(error.to_string()),
                Answer::Unclear(status) => status,
            };
            if !self.wait().await {
                return Err(unavailable(status));
            }
        }
    }

    /// The time is over. Nobody knows what became of the last sending, unless a last look tells.
    async fn give_up(&mut self, status: Status) -> Result<Appended, AppendError> {
        match self.log.noted(self.append.command_id).await {
            Ok(Noted::Done(done)) => self.repeated(&done).await,
            Ok(Noted::Not(_)) | Err(_) => Err(unavailable(status)),
        }
    }

    async fn repeated(&mut self, done: &Done) -> Result<Appended, AppendError> {
        let is_repeat = !self.sent.contains(&done.sending);
        loop {
            match self.log.placed(self.append.command_id, done).await {
                Ok(appended) => return Ok(Appended { is_repeat, ..appended }),
                Err(error) if !self.wait().await => return Err(unread(error)),
                Err(_) => {}
            }
        }
    }

    /// Positions are read, never computed.
    async fn placed(&mut self, response: &AppendRecordsResponse) -> Result<Appended, AppendError> {
        loop {
            match self.ends(response).await {
                Ok(Some((first, position))) => {
                    return Ok(Appended { first, position, is_repeat: false });
                }
                // It was written, which the note of the command tells too.
                Ok(None) => {
                    if let Noted::Done(done) = self.noted().await? {
                        return self.repeated(&done).await;
                    }
                    return Err(unavailable(Status::data_loss(
                        "an append that was done is missing",
                    )));
                }
                Err(error) if !self.wait().await => return Err(unread(error)),
                Err(_) => {}
            }
        }
    }

    /// Where the first and the last event stand.
    async fn ends(
        &self,
        response: &AppendRecordsResponse,
    ) -> Result<Option<(Position, Position)>, ReadError> {
        let ends = (self.append.streams.first(), self.append.streams.last());
        let (Some(first), Some(last)) = ends else { return Ok(None) };
        let end_of = |part: &StreamAppend| {
            let name = self.log.names().stream(&part.stream);
            let told = response.revisions.iter().find(|it| it.stream == name)?;
            u32::try_from(told.revision.checked_add(1)?).ok()
        };
        let (Some(end_of_first), Some(end)) = (end_of(first), end_of(last)) else {
            return Ok(None);
        };
        let begin = end_of_first.saturating_sub(first.events.len() as u32).saturating_add(1);
        let of_it = |event: &Recorded| event.command_id == self.append.command_id;
        let last = self.log.event_at(&last.stream, Revision::new(end));
        if self.append.streams.iter().map(|part| part.events.len()).sum::<usize>() == 1 {
            let only = last.await?.filter(of_it).map(|it| it.position);
            return Ok(only.map(|only| (only, only)));
        }
        let first = self.log.event_at(&first.stream, Revision::new(begin));
        let (first, last) = futures::try_join!(first, last)?;
        let (first, last) = (first.filter(of_it), last.filter(of_it));
        Ok(first.zip(last).map(|(first, last)| (first.position, last.position)))
    }

    /// A longer pause each time; `false` once the time is over.
    async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause *= 2;
        true
    }
}

fn check(stream: String, at: Revision) -> ConsistencyCheck {
    let state = StreamStateCheck { stream, expected_state: i64::from(at.get()) - 1 };
    ConsistencyCheck { r#type: Some(Type::StreamState(state)) }
}

pub(super) fn unavailable(status: Status) -> AppendError {
    AppendError::Unavailable(cause(status))
}

fn unread(error: ReadError) -> AppendError {
    let ReadError::Unavailable(source) = error;
    AppendError::Unavailable(Arc::clone(&source))
}

#[expect(clippy::disallowed_methods, reason = "names a sending or a note, never an event")]
pub(super) fn fresh_id() -> Uuid {
    Uuid::new_v4()
}
