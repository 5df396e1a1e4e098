//! One run: a server, writer processes, readers, kills; then the whole log and the ledger.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keynest_domain::StreamName;
use keynest_store::kurrentdb::{Kurrent, KurrentError, KurrentOptions};
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool, migrate};
use keynest_store::{EventStore, Expected, NewEvent, Position, Recorded, StreamAppend};
use sqlx::AssertSqlSafe;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::face::Face;
use super::ledger::{Ack, Findings, Seen, check};
use super::random::Random;
use super::server::Server;
use crate::given::append;

const READERS: u64 = 4;
const END_WAIT: Duration = Duration::from_secs(30);
/// For the first writer, with a server that starts on a busy machine.
const START_WAIT: Duration = Duration::from_secs(120);

/// Where the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Postgres,
    /// Behind the face, and in Postgres there.
    Kurrent,
}

/// What a run is like.
pub struct Plan {
    pub seconds: u64,
    pub seed: u64,
    pub processes: usize,
    pub writers_per_process: usize,
    /// Whether processes and the server are killed.
    pub is_deadly: bool,
    /// Run on the database before anything is written.
    pub planted: Option<&'static str>,
    pub backend: Backend,
}

/// What came of it.
#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
pub struct Outcome {
    pub acknowledged: usize,
    pub events: usize,
    pub subscriptions: usize,
    pub kills: Kills,
    pub findings: Findings,
}

/// How often each was ended.
#[derive(Debug, Default)]
pub struct Kills {
    writers: u32,
    server: u32,
    face: u32,
}

/// A writer process in its many lives.
struct Writers {
    url: String,
    count: usize,
    seed: u64,
    lives: usize,
    process: Child,
    reading: JoinHandle<()>,
    acks: Arc<Mutex<Vec<Ack>>>,
}

/// Runs and checks.
pub async fn run(plan: Plan) -> Outcome {
    let mut server = Server::start().await;
    let mut face = match plan.backend {
        Backend::Postgres => None,
        Backend::Kurrent => Some(Face::start(server.url())),
    };
    let url = face.as_ref().map_or_else(|| server.url(), Face::url);
    let store = match plan.backend {
        Backend::Postgres => open(&url, plan.planted).await,
        Backend::Kurrent => retried(|| open_cluster(&url)).await,
    };
    let mut random = Random::new(plan.seed);
    let acks = Arc::new(Mutex::new(Vec::new()));
    let mut writers: Vec<Writers> = (0..plan.processes)
        .map(|_| Writers::start(&url, plan.writers_per_process, random.next(), Arc::clone(&acks)))
        .collect();
    // Before that a kill says nothing.
    let late = Instant::now() + START_WAIT;
    while acks.lock().unwrap().is_empty() {
        assert!(Instant::now() < late, "nobody writes");
        sleep(Duration::from_millis(20)).await;
    }
    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let readers: Vec<_> = (0..READERS)
        .map(|_| tokio::spawn(read(store.clone(), Random::new(random.next()), until)))
        .collect();
    let murmur = tokio::spawn(write(store.clone(), Random::new(random.next()), until));
    let mut kills = Kills::default();
    kill(&plan, &mut random, until, (&mut server, &mut face, &mut writers), &mut kills).await;
    for process in writers {
        process.end().await;
    }
    murmur.await.unwrap();
    let mut seen = Vec::new();
    for reader in readers {
        seen.extend(reader.await.unwrap());
    }
    let log = whole(&store).await;
    let acks = acks.lock().unwrap().clone();
    let is_dense = plan.backend == Backend::Postgres;
    let findings = check(&log, &acks, &seen, is_dense);
    Outcome {
        acknowledged: acks.len(),
        events: log.len(),
        subscriptions: seen.len(),
        kills,
        findings,
    }
}

/// Now this one, now that one, until it is over.
async fn kill(
    plan: &Plan,
    random: &mut Random,
    until: Instant,
    (server, face, writers): (&mut Server, &mut Option<Face>, &mut [Writers]),
    kills: &mut Kills,
) {
    loop {
        sleep(Duration::from_millis(300 + random.below(1_700))).await;
        if Instant::now() >= until {
            return;
        }
        match (random.below(4), &mut *face) {
            _ if !plan.is_deadly => {}
            (0, _) => {
                server.kill_and_restart().await;
                kills.server += 1;
            }
            (1, Some(face)) => {
                face.kill_and_restart().await;
                kills.face += 1;
            }
            (_, _) => {
                let process = random.below(plan.processes as u64) as usize;
                writers[process].kill_and_restart(random.next()).await;
                kills.writers += 1;
            }
        }
    }
}

async fn open(url: &str, planted: Option<&'static str>) -> EventStore {
    let options =
        StoreOptions { poll_interval: Duration::from_millis(50), ..StoreOptions::default() };
    let pool = connect_store_pool(url, &options).await.unwrap();
    migrate(&pool).await.unwrap();
    if let Some(planted) = planted {
        sqlx::raw_sql(AssertSqlSafe(planted)).execute(&pool).await.unwrap();
    }
    Postgres::open(pool, &options).await.unwrap().into()
}

async fn open_cluster(url: &str) -> Result<EventStore, KurrentError> {
    let options = KurrentOptions {
        poll_interval: Duration::from_millis(50),
        connect_for: END_WAIT,
        ..KurrentOptions::default()
    };
    Ok(Kurrent::open(url.parse().unwrap(), options, None).await?.into())
}

/// Joins at random places, follows for a while, leaves, joins again; the last time from the start.
async fn read(store: EventStore, mut random: Random, until: Instant) -> Vec<Seen> {
    let mut all = Vec::new();
    while Instant::now() < until {
        let head = retried(|| store.head()).await.to_stored();
        let after = if random.below(3) == 0 { 0 } else { random.below(head + 1) };
        let leave = Instant::now() + Duration::from_millis(200 + random.below(3_000));
        let mut seen = Seen { after, events: Vec::new() };
        let mut subscription = store.subscribe(Position::from_stored(after));
        while Instant::now() < leave.min(until) {
            let limit = 1 + random.below(200) as usize;
            match timeout(leave.min(until) - Instant::now(), subscription.next_batch(limit)).await {
                Ok(Ok(batch)) => {
                    seen.events.extend(batch);
                }
                Ok(Err(_)) => sleep(Duration::from_millis(20)).await,
                Err(_) => break,
            }
            if random.below(8) == 0 {
                sleep(Duration::from_millis(random.below(30))).await;
            }
        }
        all.push(seen);
    }
    all
}

/// Appends in the readers' process, so that they are handed events in memory between those that they must read.
/// Not in the ledger of acknowledgements; the log is checked all the same.
async fn write(store: EventStore, mut random: Random, until: Instant) {
    while Instant::now() < until {
        let mut append = append([]);
        let command = append.command_id;
        append.streams = vec![StreamAppend {
            stream: StreamName::new("oracle", random.below(12)),
            expected: Expected::Any,
            events: vec![NewEvent {
                name: "oracle.wrote".into(),
                version: 1,
                data: format!(r#"{{"command":"{command}","index":0,"of":1}}"#).into(),
            }],
        }];
        // The server may be down just now.
        let _ = store.append(append).await;
        sleep(Duration::from_micros(random.below(8_000))).await;
    }
}

/// The server may be down just now.
async fn retried<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
) -> T {
    let late = Instant::now() + END_WAIT;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) if Instant::now() > late => panic!("{error:?}"),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn whole(store: &EventStore) -> Vec<Recorded> {
    let mut log: Vec<Recorded> = Vec::new();
    loop {
        let after = log.last().map_or(Position::START, |event| event.position);
        let page = retried(|| store.read_all(after, 10_000)).await;
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}

impl Writers {
    fn start(url: &str, count: usize, seed: u64, acks: Arc<Mutex<Vec<Ack>>>) -> Self {
        let (process, reading) = spawn(url, count, seed, 0, &acks);
        Self { url: url.to_owned(), count, seed, lives: 0, process, reading, acks }
    }

    /// `kill -9`, and what it had acknowledged until then stays in the ledger.
    async fn kill_and_restart(&mut self, seed: u64) {
        self.process.kill().await.unwrap();
        (&mut self.reading).await.unwrap();
        self.lives += 1;
        (self.process, self.reading) =
            spawn(&self.url, self.count, seed ^ self.seed, self.lives, &self.acks);
    }

    /// Lets everybody finish.
    async fn end(mut self) {
        drop(self.process.stdin.take());
        timeout(END_WAIT, self.process.wait()).await.expect("the writers end").unwrap();
        self.reading.await.unwrap();
    }
}

fn spawn(
    url: &str,
    count: usize,
    seed: u64,
    life: usize,
    acks: &Arc<Mutex<Vec<Ack>>>,
) -> (Child, JoinHandle<()>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_keynest-oracle-writer"))
        .args([url, &seed.to_string(), &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let acks = Arc::clone(acks);
    // Lives of different processes may share a number: the seed keeps them apart.
    let life = life ^ (seed as usize) << 8;
    let reading = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            acks.lock().unwrap().extend(ack(&line, life));
        }
    });
    (process, reading)
}

/// `None` for a line that was cut off by a kill.
fn ack(line: &str, life: usize) -> Option<Ack> {
    let mut words = line.strip_prefix("ack ")?.split(' ');
    let mut number = || words.next();
    let (writer, command) = (number()?.parse().ok()?, number()?.parse().ok()?);
    let (first, last) = (number()?.parse().ok()?, number()?.parse().ok()?);
    Some(Ack { writer: (life, writer), command, first, last })
}
