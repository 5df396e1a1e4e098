//! The mail server refuses some recipients for good: their mails are dead letters at once, nobody else's mail waits, and an
//! operator can have them sent after all.

use async_trait::async_trait;

use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::sink::Mood;
use crate::world::World;

#[derive(Default)]
pub struct Refused {
    wrong: Vec<String>,
}

#[async_trait]
impl Fault for Refused {
    fn name(&self) -> &'static str {
        "smtp-refused"
    }

    fn requests(&self) -> u64 {
        10
    }

    async fn inject(&mut self, world: &mut World) {
        world.sink.feel(Mood::Refusing);
        // One of two in a row is refused.
        world.newcomer().await;
        world.newcomer().await;
    }

    async fn heal(&mut self, world: &mut World) {
        // Until somebody was refused and somebody else's mail came, whose turn was later.
        let others = world.sink.clone();
        let served = async {
            others.until_refused().await;
            others.until_another_came().await;
        };
        if tokio::time::timeout(fault::PATIENCE, served).await.is_err() {
            self.wrong.push("no mail came to others after one was refused".to_owned());
        }
        world.sink.feel(Mood::Well);
    }

    async fn check(&mut self, world: &mut World, findings: &mut Findings) {
        self.wrong.drain(..).for_each(|what| findings.add("I6", what));
        let refused = world.sink.refused();
        findings.count("I6", refused as u64);
        let query = "select count(*) from store.effects where refused_at is not null";
        let noted: i64 = sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap();
        if i64::try_from(refused).ok() != Some(noted) {
            findings.add("I6", format!("{refused} tries were refused for good, {noted} noted"));
        }
        let listed = world.command(&["dead-letters", "list"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let listed = listed.lines().filter(|line| line.contains("refused for good (550)")).count();
        if listed != refused {
            findings.add("I6", format!("{refused} mails were refused, {listed} dead letters"));
        }
        let replayed = world.command(&["dead-letters", "replay"]).output().unwrap();
        if !replayed.status.success() {
            let why = String::from_utf8_lossy(&replayed.stderr).into_owned();
            findings.add("I6", format!("dead letters cannot be replayed: {why}"));
        }
        fault::catch_up(world).await;
        let query = "select count(*) from store.work where is_dead";
        let dead: i64 = sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap();
        if dead > 0 {
            findings.add("I6", format!("{dead} are dead again after they were replayed"));
        }
    }
}
