//! I6: a mail for every intent, no second one without a reason, and none for what was taken back.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::checker::Findings;
use crate::sink::Mail;
use crate::world::World;

/// A mail that was under way already when something happened (its invitation was taken back, its sender was killed with
/// the text in the socket) is in the sink by then.
const UNDER_WAY_MAX: Duration = Duration::from_secs(5);

pub async fn check(world: &World, findings: &mut Findings) {
    // What was meant to be sent, and whether the mailer says that it was.
    let intents: Vec<(String, bool)> =
        sqlx::query_as("select message_id, done_at is not null from store.effects")
            .fetch_all(&world.db)
            .await
            .unwrap();
    let mut came: HashMap<String, Vec<Mail>> = HashMap::new();
    for mail in world.sink.all() {
        came.entry(mail.message_id.clone()).or_default().push(mail);
    }
    findings.count("I6", intents.len() as u64);
    for (message_id, is_done) in &intents {
        let copies = came.get(message_id).map(Vec::as_slice).unwrap_or_default();
        if *is_done && !copies.iter().any(|mail| mail.is_answered) {
            findings.add("I6", format!("{message_id} counts as sent, and never came"));
        }
        doubled(world, message_id, copies, findings);
    }
    let known: HashSet<&String> = intents.iter().map(|(message_id, _)| message_id).collect();
    for message_id in came.keys().filter(|message_id| !known.contains(message_id)) {
        findings.add("I6", format!("{message_id:?} came, and nobody meant to send it"));
    }
    cancelled(world, &came, findings).await;
}

/// One copy, and one more for each disturbance that may have hidden the answer to the copy before.
fn doubled(world: &World, message_id: &str, copies: &[Mail], findings: &mut Findings) {
    let (Some(first), Some(last)) = (copies.first(), copies.last()) else { return };
    let around = |at| at <= last.at && first.at.saturating_duration_since(at) <= UNDER_WAY_MAX;
    let between = world.disturbances.iter().filter(|it| around(it.at));
    let dropped = copies.iter().filter(|mail| !mail.is_answered).count();
    let most = 1 + between.count() + dropped;
    if copies.len() > most {
        let (count, to) = (copies.len(), &first.recipient);
        findings.add("I6", format!("{message_id} came {count} times to {to}, {most} at most"));
    }
}

async fn cancelled(world: &World, came: &HashMap<String, Vec<Mail>>, findings: &mut Findings) {
    let sent: Vec<(String, String)> = sqlx::query_as(
        "select convert_from(e.data, 'utf8')::jsonb ->> 'invitation', f.message_id
         from store.events e join store.effects f using (event_id) where e.type = 'organization.invitation_sent'",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let message_ids: HashMap<String, String> = sent.into_iter().collect();
    let cancelled = world.ledger.open().cancelled.clone();
    for cancelled in cancelled {
        findings.count("I6", 1);
        let copies = message_ids.get(&cancelled.invitation).and_then(|id| came.get(id));
        let late = |mail: &&Mail| mail.at > cancelled.at + UNDER_WAY_MAX;
        for mail in copies.into_iter().flatten().filter(late) {
            let what = format!("{} was mailed to {} after", cancelled.invitation, mail.recipient);
            findings.add("I6", format!("{what} it was taken back"));
        }
    }
}
