//! The clocks of one process of each kind jump, by an hour and by more than a year, ahead and back (libfaketime). The API is
//! not ready then, and the balancer takes it out; until then and in the others nothing is over before its time.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;

use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::world::World;

const JUMPS: [&str; 4] = ["+1h", "-1h", "+400d", "-400d"];
/// One API, one `project`, one `work`.
const SLOTS: [usize; 3] = [1, 3, 5];
/// The other `work`, which may lead.
const OTHER_WORK: usize = 4;
const API: usize = SLOTS[0];
/// Requests that the API gets after the jump before anybody asks whether it is ready.
const REQUESTS: u64 = 20;
/// Until the balancer knows.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);
/// Rounds of the janitor by the wrong clock: so often it takes away what is over, and nothing else.
const ROUNDS: usize = 2;
/// An effect that is remembered for longer than any, and has no event.
const OVER: &str = "insert into store.effects (event_id, kind, recipient, message_id, started_at)
    values (gen_random_uuid(), 'over', 'nobody', '', now() - interval '31 days')";
/// Between two looks at the API.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Default)]
pub struct Clocks {
    /// Holds the file that tells the time.
    folder: Option<TempDir>,
    jumped: usize,
    wrong: Vec<(&'static str, String)>,
}

#[async_trait]
impl Fault for Clocks {
    fn name(&self) -> &'static str {
        "clock-jump"
    }

    fn times(&self, world: &World) -> usize {
        JUMPS.len() * world.settings.rounds
    }

    async fn inject(&mut self, world: &mut World) {
        if self.folder.is_none() {
            self.start(world);
        }
        let jump = JUMPS[self.jumped % JUMPS.len()];
        self.jumped += 1;
        self.tell(jump);
        fault::hold(world, REQUESTS).await;
        if !becomes(world, false).await {
            self.wrong.push(("I8", format!("an API whose clock is {jump} away says it is ready")));
        }
        world.slots[API].is_out = true;
        world.balance();
        for _ in 0..ROUNDS {
            if !tidies(world).await {
                self.wrong
                    .push(("I11", format!("a janitor whose clock is {jump} away stands still")));
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        self.tell("+0");
        if !becomes(world, true).await {
            self.wrong.push(("I11", "an API whose clock is right again is not ready".to_owned()));
        }
        world.slots[API].is_out = false;
        world.balance();
    }

    async fn check(&mut self, world: &mut World, findings: &mut Findings) {
        findings.count("I8", self.jumped as u64);
        self.wrong.drain(..).for_each(|(invariant, what)| findings.add(invariant, what));
        let questions = [
            ("I1", "sessions ended, as if their time were over", "select count(*) from store.events
                where type = 'session.ended' and convert_from(data, 'utf8')::jsonb ->> 'reason' = 'expired'"),
            ("I1", "invitations expired before their time",
                "select count(*) from store.events where type = 'organization.invitation_expired'"),
            ("I1", "keys destroyed", "select count(*) from store.events where type = 'key.destroyed'"),
            ("I6", "mails wait for longer than any mail waits",
                "select count(*) from store.work where due_at > now() + interval '1 day'"),
            ("I1", "keys of days that are not today", "select count(*) from store.data_keys
                where name like 'day:%' and abs(substr(name, 5)::bigint - extract(epoch from now()) / 86400) > 2"),
        ];
        for (invariant, what, question) in questions {
            let count: i64 = sqlx::query_scalar(question).fetch_one(&world.db).await.unwrap();
            if count > 0 {
                findings.add(invariant, format!("{count} {what}"));
            }
        }
        for slot in SLOTS {
            world.kill(slot);
            let extra = &mut world.slots[slot].extra;
            extra.truncate(extra.len() - VARIABLES);
        }
        world.revive_all(&SLOTS);
    }
}

/// That a process with a clock of its own is started with.
const VARIABLES: usize = 5;

impl Clocks {
    /// With clocks that can be set. The `work` among them leads.
    fn start(&mut self, world: &mut World) {
        let library = library().expect(
            "THE CLASS OF CLOCK JUMPS CANNOT RUN: libfaketime is missing (package faketime, scripts/install-needs test)",
        );
        self.folder = Some(tempfile::tempdir().unwrap());
        self.tell("+0");
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let variables: [_; VARIABLES] = [
            ("LD_PRELOAD", text(library)),
            ("FAKETIME_TIMESTAMP_FILE", text(self.file())),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("KEYNEST_JANITOR_INTERVAL_SECONDS", "1".to_owned()),
        ];
        world.kill(OTHER_WORK);
        for slot in SLOTS {
            world.kill(slot);
            world.slots[slot].extra.extend(variables.clone());
        }
        world.revive_all(&SLOTS);
        world.revive(OTHER_WORK);
    }

    fn file(&self) -> PathBuf {
        self.folder.as_ref().expect("it was started").path().join("now")
    }

    /// At once: nobody reads half a line.
    fn tell(&self, offset: &str) {
        let new = self.file().with_extension("new");
        std::fs::write(&new, format!("{offset}\n")).unwrap();
        std::fs::rename(&new, self.file()).unwrap();
    }
}

/// Whether the janitor takes away what is over: it goes on by the time that it knows.
async fn tidies(world: &World) -> bool {
    sqlx::query(OVER).execute(&world.db).await.unwrap();
    let query = "select exists (select from store.effects where kind = 'over')";
    let mut every = tokio::time::interval(LOOK_EVERY);
    let seen = async {
        while sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap_or(true) {
            every.tick().await;
        }
    };
    tokio::time::timeout(NOTICED_WITHIN, seen).await.is_ok()
}

/// Whether the API comes to say so within the time that a balancer has.
async fn becomes(world: &World, is_ready: bool) -> bool {
    let path = format!("http://{}/health/ready/", world.address(API));
    let wanted = if is_ready { 200 } else { 503 };
    let mut every = tokio::time::interval(LOOK_EVERY);
    let seen = async {
        while !reqwest::get(&path).await.is_ok_and(|answer| answer.status() == wanted) {
            every.tick().await;
        }
    };
    tokio::time::timeout(NOTICED_WITHIN, seen).await.is_ok()
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let folders = folders.chain([PathBuf::from("/usr/lib")]);
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists())
}
