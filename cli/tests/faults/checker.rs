//! What must be true once everything has caught up: the ledger against the log, the read models, the mails and the audit log.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;

use crate::actors::Memory;
use crate::caller::Caller;
use crate::ledger::{Book, Line, Outcome, What};
use crate::mails;
use crate::world::{Role, World};

/// Most memory of one process, in MiB (I12).
const MEMORY_MAX: u64 = 256;
/// Most threads and most open files of one process (I12): two threads for each core and those that wait for a disk; a
/// connection for each of the pools' and each of the callers'.
const THREADS_MAX: u64 = 128;
const FILES_MAX: u64 = 512;
/// As many connections as the pools of six processes may have.
const CONNECTIONS_MAX: i64 = 6 * (16 + 32 + 8);
/// What a queue may hold while nobody works, …
const QUEUE_MAX: f64 = 20_000.0;
/// … and how old a measure of it may be.
const MEASURED_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Findings of one kind that are told in full.
const TOLD_MAX: usize = 5;

/// What is wrong, and how much was looked at, by invariant.
#[derive(Debug, Default)]
pub struct Findings {
    pub wrong: BTreeMap<&'static str, Vec<String>>,
    pub looked_at: BTreeMap<&'static str, u64>,
}

impl Findings {
    pub fn add(&mut self, invariant: &'static str, what: String) {
        self.wrong.entry(invariant).or_default().push(what);
    }

    /// So many things were compared for an invariant.
    pub fn count(&mut self, invariant: &'static str, count: u64) {
        *self.looked_at.entry(invariant).or_default() += count;
    }

    pub fn is_empty(&self) -> bool {
        self.wrong.is_empty()
    }

    /// A few of each kind.
    pub fn told(&self) -> String {
        let lines = self.wrong.iter().flat_map(|(invariant, found)| {
            let rest = found.len().saturating_sub(TOLD_MAX);
            let told = found.iter().take(TOLD_MAX).map(move |it| format!("{invariant}: {it}"));
            told.chain((rest > 0).then(|| format!("{invariant}: and {rest} more")))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Everything, over the whole log. Nobody works meanwhile. The product's own proofs, which read all of it, may be left out.
pub async fn check(world: &mut World, findings: &mut Findings, has_proofs: bool) {
    world.note_memory();
    acknowledged_is_there(world, findings).await;
    nothing_is_doubled(world, findings).await;
    the_log_is_whole(world, findings).await;
    if has_proofs {
        the_product_agrees(world, findings);
    }
    consumers_are_complete(world, findings).await;
    everything_is_audited(world, findings).await;
    mails::check(world, findings).await;
    nothing_piles_up(world, findings).await;
    let book = world.ledger.open();
    findings.count("I8", book.sent);
    for scandal in &book.scandals {
        let (invariant, what) = scandal.split_once(' ').unwrap();
        let known = ["I1", "I2", "I8", "I10", "I12"].into_iter().find(|it| *it == invariant);
        findings.add(known.expect("a known invariant"), what.to_owned());
    }
    findings.count("I10", book.refusals);
    findings.count("I12", book.shed);
    for (what, most, had) in [
        ("MiB of memory", MEMORY_MAX, world.memory_max),
        ("threads", THREADS_MAX, world.threads_max),
        ("open files", FILES_MAX, world.files_max),
    ] {
        if had > most {
            findings.add("I12", format!("a process had {had} {what}, {most} at most"));
        }
    }
}

/// I12: no queue and no pool is longer than it may be, whatever was broken before.
async fn nothing_piles_up(world: &World, findings: &mut Findings) {
    let query = "select count(*) from pg_stat_activity where backend_type = 'client backend'";
    let connections: i64 = sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap();
    findings.count("I12", connections.unsigned_abs());
    if connections > CONNECTIONS_MAX {
        let what = format!("{connections} connections to Postgres, {CONNECTIONS_MAX} at most");
        findings.add("I12", what);
    }
    for queue in [
        r#"keynest_work_waiting{durable="mailer"} "#,
        r#"keynest_consumer_lag_events{durable="mailer"} "#,
        "keynest_relay_lag_events ",
    ] {
        let measure =
            async || world.metrics(Role::Work, queue).await.into_iter().fold(0.0, f64::max);
        let (since, mut longest) = (Instant::now(), measure().await);
        // It was measured before the last of it was settled.
        while longest > QUEUE_MAX && since.elapsed() < MEASURED_WITHIN {
            tokio::time::sleep(LOOK_EVERY).await;
            longest = measure().await;
        }
        if longest > QUEUE_MAX {
            findings.add("I12", format!("{queue}: {longest}, {QUEUE_MAX} at most"));
        }
    }
}

/// I1: an acknowledged command has its events, as it wrote them; I2: one that was refused has none.
async fn acknowledged_is_there(world: &World, findings: &mut Findings) {
    let rows: Vec<(String, Option<i32>, i64)> = sqlx::query_as(
        "select i.key, c.count, (select count(*) from store.events e
            where e.position between c.position and c.position + c.count - 1 and e.command_id = c.command_id)
         from store.idempotency i left join store.commands c using (command_id)",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let written: HashMap<_, _> =
        rows.into_iter().map(|(key, count, there)| (key, (count, there))).collect();
    let book = world.ledger.open();
    for line in book.lines.iter().filter(|line| line.what.is_one_command()) {
        let found = written.get(&line.key).copied().unwrap_or((None, 0));
        match (&line.outcome, found) {
            (Outcome::Ok, (Some(count), there))
                if i64::from(count) == there && is_as_told(line, there) =>
            {
                findings.count("I1", 1);
            }
            (Outcome::Ok, _) => findings.add("I1", format!("lost: {line:?}")),
            (Outcome::Refused(_), (Some(_), _)) => {
                findings.add("I2", format!("refused, and done all the same: {line:?}"));
            }
            (Outcome::Refused(_), (None, _)) => findings.count("I2", 1),
            (Outcome::Unknown, _) => findings.add("I2", format!("still unknown: {line:?}")),
        }
    }
}

/// An import tells how many variables it wrote.
fn is_as_told(line: &Line, there: i64) -> bool {
    !matches!(line.what, What::Import(_)) || u64::try_from(there) == Ok(line.events)
}

/// I2: as many events of each kind in each stream as were acknowledged, however often they were asked for.
async fn nothing_is_doubled(world: &World, findings: &mut Findings) {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "select s.name, e.type, count(*) from store.events e join store.streams s on s.id = e.stream_id
         where s.name like 'environment-%' or s.name like 'organization-%' group by 1, 2",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let written: HashMap<(String, String), i64> =
        rows.into_iter().map(|(stream, event, count)| ((stream, event), count)).collect();
    let wanted = acknowledged_events(&world.ledger.open());
    for ((stream, event), count) in wanted {
        let there = written.get(&(stream.clone(), event.to_owned())).copied().unwrap_or(0);
        findings.count("I2", there.unsigned_abs());
        if there != count {
            let what = format!("{stream}: {count} of {event} acknowledged, {there} written");
            findings.add(if there > count { "I2" } else { "I1" }, what);
        }
    }
}

fn acknowledged_events(book: &Book) -> BTreeMap<(String, &'static str), i64> {
    let mut wanted = BTreeMap::new();
    for line in book.lines.iter().filter(|line| line.outcome == Outcome::Ok) {
        if let Some((event, stream)) = line.what.event() {
            if matches!(line.what, What::Import(_)) {
                let made = (stream.clone(), "environment.variable_created");
                *wanted.entry(made).or_default() += line.made;
            }
            *wanted.entry((stream, event)).or_default() += 1;
        }
    }
    wanted
}

/// I3: positions dense, revisions contiguous.
async fn the_log_is_whole(world: &World, findings: &mut Findings) {
    let (head, events, highest): (i64, i64, i64) = sqlx::query_as(
        "select (select position from store.log), count(*), coalesce(max(position), 0) from store.events",
    )
    .fetch_one(&world.db)
    .await
    .unwrap();
    findings.count("I3", events.unsigned_abs());
    if head != events || head != highest {
        findings.add("I3", format!("head {head}, {events} events, highest position {highest}"));
    }
    let torn: Vec<(i64,)> = sqlx::query_as(
        "select s.id from store.streams s left join store.events e on e.stream_id = s.id group by s.id
         having min(e.revision) <> 1 or max(e.revision) <> count(*) or s.revision <> count(*)",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    for (stream,) in torn {
        findings.add("I3", format!("stream {stream} is not contiguous"));
    }
}

/// I3 and I4 by the product's own proofs: of the log, and of the read models.
fn the_product_agrees(world: &World, findings: &mut Findings) {
    for (invariant, arguments) in [("I3", &["verify"][..]), ("I4", &["rebuild", "--check"])] {
        let output = world.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if invariant == "I4" {
            findings
                .count("I4", told.lines().filter(|line| line.contains(": equal")).count() as u64);
        }
        if !output.status.success() {
            let wrong: Vec<_> = told.lines().filter(|line| !line.contains(": equal")).collect();
            let why = String::from_utf8_lossy(&output.stderr);
            findings.add(invariant, format!("{arguments:?}: {} {why}", wrong.join("; ")));
        }
    }
}

/// I5: nobody skipped an event, nobody left a stream behind, nothing waits or was given up.
async fn consumers_are_complete(world: &World, findings: &mut Findings) {
    let questions = [
        // Whoever is refused is counted, and that is written while nobody works, too.
        ("events without an audit row", "select count(*) from store.events e
            where e.position <= (select position from read.checkpoints where name = 'audit_log') and not exists (select from read.audit_log a where a.position = e.position)"),
        ("audit rows without an event", "select count(*) from read.audit_log a
            where not exists (select from store.events e where e.position = a.position)"),
        ("streams left behind", "select count(*) from read.parked"),
        ("work that waits", "select count(*) from store.work where not is_dead"),
        ("accounts without their mail", "select count(*) from store.events e where e.type = 'user.registered'
            and not exists (select from store.effects f where f.event_id = e.event_id and f.done_at is not null)"),
    ];
    for (what, question) in questions {
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(question)).fetch_one(&world.db).await.unwrap();
        if count > 0 {
            findings.add("I5", format!("{count} {what}"));
        }
    }
    mails_are_finished(world, findings).await;
    let rows: i64 = sqlx::query_scalar("select count(*) from read.audit_log")
        .fetch_one(&world.db)
        .await
        .unwrap();
    findings.count("I5", rows.unsigned_abs());
}

/// I5: a mail that was begun came. One that was to be tried again is not, if its invitation was taken back meanwhile or its
/// recipient removed, or if
/// it had come already, only its answer had not, and was made use of.
async fn mails_are_finished(world: &World, findings: &mut Findings) {
    let begun: Vec<String> = sqlx::query_scalar(
        "select f.message_id from store.effects f join store.events e using (event_id)
         where f.done_at is null and f.refused_at is null and not exists (select from store.events r
             where r.type = 'organization.invitation_revoked' and r.stream_id = e.stream_id
             and convert_from(r.data, 'utf8')::jsonb ->> 'invitation'
                 = convert_from(e.data, 'utf8')::jsonb ->> 'invitation')
         and not exists (select from store.events r where r.type = 'organization.member_removed'
             and r.organization = e.organization and r.position > e.position)",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let came: HashSet<String> = world.sink.all().into_iter().map(|it| it.message_id).collect();
    for message_id in begun.iter().filter(|it| !came.contains(*it)) {
        findings.add("I5", format!("{message_id} was begun and never came"));
    }
}

/// I7: every look at values is on record, under the request that was answered.
async fn everything_is_audited(world: &World, findings: &mut Findings) {
    let rows: Vec<(String,)> = sqlx::query_as(
        "select e.request::text from store.events e join read.audit_log a using (position)
         where e.type in ('access.variables_read', 'access.environment_exported') and e.request is not null",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let recorded: HashSet<String> = rows.into_iter().map(|row| row.0).collect();
    let book = world.ledger.open();
    for reveal in &book.reveals {
        findings.count("I7", 1);
        if !recorded.contains(&reveal.request) {
            findings.add("I7", format!("values were shown in {} and nobody knows", reveal.request));
        }
    }
}

/// I1: through the front door, everybody finds what they were told is there, as they left it.
pub async fn everybody_sees_what_they_know(
    memories: &[(Caller, Arc<Mutex<Memory>>)],
    findings: &mut Findings,
) {
    for (caller, memory) in memories {
        let known = memory.lock().unwrap().clone();
        let path = format!("/api/core/environments/{}/variables/", known.environment);
        let answer = caller.reveal(&path).await;
        let mut seen = BTreeMap::new();
        for row in answer.body["results"].as_array().into_iter().flatten() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            seen.insert(row["id"].as_i64().unwrap(), (text("key"), text("decrypted_value")));
        }
        findings.count("I1", seen.len() as u64);
        if seen != known.variables {
            let what = format!("{} knows {:?} and sees {seen:?}", caller.name(), known.variables);
            findings.add("I1", what);
        }
        import_is_there(caller, &known, findings).await;
    }
}

/// I1: all variables of an import, or none of them.
async fn import_is_there(caller: &Caller, known: &Memory, findings: &mut Findings) {
    let Some(filling) = &known.filling else { return };
    let path = format!("/api/core/environments/{}/export/?format=json", known.filled);
    let answer = caller.reveal(&path).await;
    let values: Vec<_> = answer.body.as_object().into_iter().flatten().collect();
    findings.count("I1", values.len() as u64);
    let others = values.iter().filter(|(_, value)| *value != filling).count();
    if values.is_empty() || others > 0 {
        let (name, all) = (caller.name(), values.len());
        findings
            .add("I1", format!("{name} imported {filling}: {others} of {all} are something else"));
    }
}
