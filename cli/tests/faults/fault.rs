//! A class of faults, and how some are driven: load, inject, hold, heal, wait until everything is caught up, check.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::checker::Findings;
use crate::world::World;

/// Far longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// A mail is tried, and its try has ended, in this time.
const MAIL_FAILS_WITHIN: Duration = Duration::from_secs(15);
/// So many have waited in vain, and one of them for a change that was made.
const IN_VAIN: u64 = 4;
/// Between two looks at how far things are.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One class. Everything runs while the actors work.
#[async_trait]
pub trait Fault: Send {
    /// As the table and `KEYNEST_FAULTS_CLASSES` name it.
    fn name(&self) -> &'static str;

    /// How often it is injected.
    fn times(&self, world: &World) -> usize {
        world.settings.rounds
    }

    /// Brings it about.
    async fn inject(&mut self, world: &mut World);

    /// Takes it away; what was killed is started again.
    async fn heal(&mut self, world: &mut World);

    /// Requests that are sent while it lasts, before it is healed.
    fn requests(&self) -> u64 {
        20
    }

    /// What only this class can tell, once everything has caught up and nobody works.
    async fn check(&mut self, _world: &mut World, _findings: &mut Findings) {}
}

/// How one class went.
#[derive(Debug, Default)]
pub struct Run {
    pub name: &'static str,
    pub times: usize,
    pub acknowledged: u64,
    pub unanswered: u64,
    /// From the end of the fault until both APIs answer changes and all that was written before is caught up.
    pub recoveries: Vec<Duration>,
    pub spent: Spent,
}

/// What the time went into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub injecting: Duration,
    pub holding: Duration,
    pub healing: Duration,
    pub recovering: Duration,
    pub checking: Duration,
}

impl Spent {
    pub fn seconds(&self) -> [f64; 5] {
        [self.injecting, self.holding, self.healing, self.recovering, self.checking]
            .map(|spent| spent.as_secs_f64())
    }
}

/// Faults that do not stand in each other's way, all at once: they are brought about one after the other, last together,
/// and are taken away together.
pub async fn drive(faults: &mut [Box<dyn Fault>], world: &mut World) -> Vec<Run> {
    let before = totals(world);
    let mut runs: Vec<Run> =
        faults.iter().map(|fault| Run { name: fault.name(), ..Run::default() }).collect();
    let times: Vec<usize> = faults.iter().map(|fault| fault.times(world)).collect();
    let mut spent = Spent::default();
    for round in 0..times.iter().copied().max().unwrap_or(0) {
        let mut until = 0;
        let began = Instant::now();
        for (number, fault) in faults.iter_mut().enumerate().filter(|it| round < times[it.0]) {
            fault.inject(world).await;
            runs[number].times += 1;
            until = until.max(totals(world).2 + fault.requests());
        }
        let injected = Instant::now();
        hold_until(world, until).await;
        let held = Instant::now();
        for (_, fault) in faults.iter_mut().enumerate().filter(|it| round < times[it.0]) {
            fault.heal(world).await;
        }
        let healed = Instant::now();
        let names = || runs.iter().map(|run| run.name).collect::<Vec<_>>().join(", ");
        let recovered = tokio::time::timeout(PATIENCE, recovered(world));
        recovered.await.unwrap_or_else(|_| panic!("no recovery from {}", names()));
        let taken = healed.elapsed();
        spent.injecting += injected - began;
        spent.holding += held - injected;
        spent.healing += healed - held;
        spent.recovering += taken;
        runs.iter_mut().zip(&times).filter(|(_, times)| round < **times).for_each(|(run, _)| {
            run.recoveries.push(taken);
        });
    }
    let after = totals(world);
    for run in &mut runs {
        (run.acknowledged, run.unanswered) = (after.0 - before.0, after.1 - before.1);
        run.spent = spent;
    }
    runs
}

fn totals(world: &World) -> (u64, u64, u64) {
    let book = world.ledger.open();
    (book.acknowledged, book.unanswered, book.sent)
}

/// Until so many more requests were sent.
pub async fn hold(world: &World, requests: u64) {
    hold_until(world, totals(world).2 + requests).await;
}

async fn hold_until(world: &World, until: u64) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let sent = async {
        while totals(world).2 < until {
            every.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, sent).await.expect("somebody works");
}

/// Changes are answered again, and read models and mailer have come as far as the log was then.
pub async fn recovered(world: &World) {
    let until = totals(world).0 + 2;
    let mut every = tokio::time::interval(LOOK_EVERY);
    while totals(world).0 < until {
        every.tick().await;
    }
    catch_up(world).await;
}

/// Until several people have waited in vain since there were so many.
pub async fn nobody_answers(world: &World, before: u64) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let given_up = async {
        while world.ledger.open().unanswered < before + IN_VAIN {
            every.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, given_up).await.expect("somebody waits");
}

/// Somebody registers; until that mail, or another, could not be sent and is to be tried again, or as long as that may take.
pub async fn mail_fails(world: &mut World) {
    let before = waiting(world).await;
    world.newcomer().await;
    let mut every = tokio::time::interval(LOOK_EVERY);
    let failed = async {
        while waiting(world).await <= before {
            every.tick().await;
        }
    };
    let _ = tokio::time::timeout(MAIL_FAILS_WITHIN, failed).await;
}

/// Mails that are to be tried again.
async fn waiting(world: &World) -> i64 {
    let query = "select count(*) from store.work where durable = 'mailer' and not is_dead";
    sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap_or(0)
}

/// Until audit log and mailer have come to where the log is now, and no mail waits.
pub async fn catch_up(world: &World) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let head = loop {
        every.tick().await;
        let head = sqlx::query_scalar::<_, i64>("select position from store.log");
        if let Ok(head) = head.fetch_one(&world.db).await {
            break head;
        }
    };
    // A mail that is to be tried again is part of it.
    let places = "select case when exists (select from store.work where not is_dead) then 0
        else least((select position from read.checkpoints where name = 'audit_log'),
        (select position from store.consumers where durable = 'mailer')) end";
    loop {
        let place = sqlx::query_scalar::<_, Option<i64>>(places).fetch_one(&world.db).await;
        if place.is_ok_and(|place| place.is_some_and(|place| place >= head)) {
            return;
        }
        every.tick().await;
    }
}
