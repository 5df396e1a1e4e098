//! What was acknowledged, what readers saw, and the comparison with the log.

use std::collections::{BTreeMap, HashMap, HashSet};

use keynest_domain::{CommandId, StreamName};
use keynest_store::{Recorded, event_id};

/// One acknowledgement. `writer` is one task of one process life: its acknowledgements came one after the other.
#[derive(Clone, Debug)]
pub struct Ack {
    pub writer: (usize, u64),
    pub command: CommandId,
    pub first: u64,
    pub last: u64,
}

/// One subscription, from where it began.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub after: u64,
    pub events: Vec<Recorded>,
}

/// Everything that is wrong, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings(BTreeMap<&'static str, u64>);

impl Findings {
    pub fn none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or(0)
    }

    fn add(&mut self, kind: &'static str, count: u64) {
        if count > 0 {
            *self.0.entry(kind).or_default() += count;
        }
    }
}

/// Compares the whole log with the ledger. Dense: positions are numbered one by one.
pub fn check(log: &[Recorded], acks: &[Ack], readers: &[Seen], is_dense: bool) -> Findings {
    let mut findings = Findings::default();
    if is_dense {
        let highest = log.last().map_or(0, |event| event.position.to_stored());
        findings.add("positions missing", highest - log.len() as u64);
    }
    check_log(log, &mut findings);
    check_acks(log, acks, &mut findings);
    for seen in readers {
        check_reader(log, seen, &mut findings);
    }
    findings
}

fn check_log(log: &[Recorded], findings: &mut Findings) {
    let mut revisions: HashMap<&StreamName, u32> = HashMap::new();
    let mut places = HashSet::new();
    let mut last: Option<(CommandId, u64)> = None;
    for event in log {
        let revision = revisions.entry(&event.stream).or_default();
        *revision += 1;
        findings.add("out of order in its stream", u64::from(event.revision.get() != *revision));
        let written: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
        let index = written["index"].as_u64().unwrap();
        findings.add("doubled", u64::from(!places.insert((event.command_id, index))));
        let follows = match last {
            Some((command, before)) if command == event.command_id => index == before + 1,
            Some(_) | None => index == 0,
        };
        findings.add("torn apart", u64::from(!follows));
        let is_own = written["command"] == event.command_id.to_string()
            && u32::try_from(index)
                .is_ok_and(|at| event.event_id == event_id(event.command_id, at));
        findings.add("altered", u64::from(!is_own));
        last = Some((event.command_id, index));
    }
    let of = |event: &Recorded| {
        serde_json::from_slice::<serde_json::Value>(&event.data).unwrap()["of"].as_u64().unwrap()
    };
    let incomplete =
        log.iter().filter(|event| !places.contains(&(event.command_id, of(event) - 1)));
    findings.add("incomplete", incomplete.count() as u64);
}

fn check_acks(log: &[Recorded], acks: &[Ack], findings: &mut Findings) {
    let at: HashMap<u64, &Recorded> =
        log.iter().map(|event| (event.position.to_stored(), event)).collect();
    let mut before: HashMap<(usize, u64), u64> = HashMap::new();
    for ack in acks {
        // What lies between is there as well, or it is torn apart or incomplete.
        let ends = HashSet::from([ack.first, ack.last]);
        let is_there =
            |position: &u64| at.get(position).is_some_and(|event| event.command_id == ack.command);
        findings.add("lost", ends.iter().filter(|at| !is_there(at)).count() as u64);
        let last = before.entry(ack.writer).or_default();
        findings.add("reordered", u64::from(ack.first <= *last));
        *last = ack.last;
    }
}

/// A reader saw every event of the log between its place and the last one that it saw, each once, in order, as it is.
fn check_reader(log: &[Recorded], seen: &Seen, findings: &mut Findings) {
    let position = |event: &Recorded| event.position.to_stored();
    let last = seen.events.last().map_or(seen.after, position);
    let known: HashMap<u64, &Recorded> =
        seen.events.iter().map(|event| (position(event), event)).collect();
    let (mut due, mut skipped, mut altered) = (0, 0, 0);
    for event in log.iter().filter(|it| position(it) > seen.after && position(it) <= last) {
        due += 1;
        skipped += u64::from(!known.contains_key(&position(event)));
        altered += u64::from(known.get(&position(event)).is_some_and(|seen| *seen != event));
    }
    findings.add("skipped by a reader", skipped);
    findings.add("altered on the way to a reader", altered);
    let wrong = (seen.events.len() as u64 + skipped).abs_diff(due);
    findings.add("seen but not in the log", wrong);
    findings.add("seen out of order", u64::from(!seen.events.is_sorted_by_key(position)));
}

#[cfg(test)]
mod tests {
    use keynest_store::{EventStore, Position};

    use super::*;
    use crate::given;

    /// Ten commands of two events on one stream, their acknowledgements, and a reader that saw them all.
    async fn sound() -> (Vec<Recorded>, Vec<Ack>, Seen) {
        let store = EventStore::memory();
        let mut acks = Vec::new();
        for _ in 0..10 {
            let mut append =
                given::append([given::part("a", keynest_store::Expected::Any, &["", ""])]);
            let command = append.command_id;
            for (index, event) in append.streams[0].events.iter_mut().enumerate() {
                let data = format!(r#"{{"command":"{command}","index":{index},"of":2}}"#);
                event.data = data.into_bytes().into();
            }
            let done = store.append(append).await.unwrap();
            let (first, last) = (done.first.to_stored(), done.position.to_stored());
            acks.push(Ack { writer: (0, 0), command, first, last });
        }
        let log = store.read_all(Position::START, 100).await.unwrap();
        let events = log.clone();
        (log, acks, Seen { after: 0, events })
    }

    #[tokio::test]
    async fn a_sound_log_has_no_findings() {
        let (log, acks, seen) = sound().await;
        assert_eq!(check(&log, &acks, &[seen], true), Findings::default());
    }

    #[tokio::test]
    async fn an_acknowledged_event_that_is_gone_is_lost() {
        let (mut log, acks, _) = sound().await;
        log.truncate(18);
        assert_eq!(check(&log, &acks, &[], true).of("lost"), 2);
        log.remove(5);
        let findings = check(&log, &acks, &[], true);
        assert_eq!((findings.of("positions missing"), findings.of("lost")), (1, 3));
        assert!(findings.of("out of order in its stream") > 0 && findings.of("incomplete") > 0);
    }

    #[tokio::test]
    async fn an_event_that_is_there_twice_is_doubled() {
        let (mut log, acks, _) = sound().await;
        let mut twice = log[3].clone();
        twice.position = Position::from_stored(21);
        log.push(twice);
        assert_eq!(check(&log, &acks, &[], true).of("doubled"), 1);
    }

    #[tokio::test]
    async fn an_answer_out_of_turn_is_reordered() {
        let (log, mut acks, _) = sound().await;
        acks.swap(3, 4);
        assert_eq!(check(&log, &acks, &[], true).of("reordered"), 1);
    }

    #[tokio::test]
    async fn a_changed_event_is_altered() {
        let (mut log, acks, _) = sound().await;
        log[2].event_id = log[5].event_id;
        assert_eq!(check(&log, &acks, &[], true).of("altered"), 1);
    }

    #[tokio::test]
    async fn what_a_reader_missed_doubled_or_made_up_is_found() {
        let (log, acks, seen) = sound().await;
        let findings = |change: fn(&mut Seen)| {
            let mut seen = seen.clone();
            change(&mut seen);
            check(&log, &acks, &[seen], true)
        };
        assert_eq!(
            findings(|seen| seen.events.retain(|it| it.position != Position::from_stored(8)))
                .of("skipped by a reader"),
            1
        );
        assert_eq!(findings(|seen| seen.events.swap(1, 2)).of("seen out of order"), 1);
        let again = findings(|seen| seen.events.insert(3, seen.events[3].clone()));
        assert_eq!(again.of("seen but not in the log"), 1);
        let altered = findings(|seen| seen.events[4].version += 1);
        assert_eq!(altered.of("altered on the way to a reader"), 1);
        assert!(findings(|seen| seen.events.truncate(5)).none());
    }
}
