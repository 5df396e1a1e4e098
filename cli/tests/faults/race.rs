//! Two replicas race on one stream: many clients want the same thing at the same moment, and one of them gets it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::caller::Caller;
use crate::checker::Findings;
use crate::fault::Fault;
use crate::ledger::What;
use crate::world::World;

const CLIENTS: usize = 64;

/// Everybody creates the same key in the same environment.
#[derive(Default)]
pub struct Race {
    rounds: u64,
    /// How many won in each round.
    winners: Vec<usize>,
    others: BTreeMap<String, usize>,
}

#[async_trait]
impl Fault for Race {
    fn name(&self) -> &'static str {
        "race"
    }

    fn requests(&self) -> u64 {
        0
    }

    async fn inject(&mut self, world: &mut World) {
        self.rounds += 1;
        let (token, environment) = world.racing.clone().expect("somebody lends a place to race in");
        let wanted = format!("RACE_{}", self.rounds);
        let racing = (0..CLIENTS).map(async |number| {
            let name = format!("race{}-{number}", self.rounds);
            let mut caller = Caller::new(&name, &world.balancer, &world.ledger);
            caller.token = Some(token.clone());
            let body = json!({"key": wanted, "value": name, "environment": environment});
            let what = What::CreateVariable(environment);
            caller.change(what, Method::POST, "/api/core/variables/", &body).await
        });
        let answers = join_all(racing).await;
        self.winners.push(answers.iter().filter(|answer| answer.is_ok()).count());
        for answer in answers.iter().filter(|answer| !answer.is_ok()) {
            let code = format!("{} {}", answer.status, answer.body["code"]);
            *self.others.entry(code).or_default() += 1;
        }
    }

    async fn heal(&mut self, _world: &mut World) {}

    async fn check(&mut self, _world: &mut World, findings: &mut Findings) {
        for winners in self.winners.drain(..) {
            findings.count("I2", CLIENTS as u64);
            if winners != 1 {
                let what = format!("{winners} of {CLIENTS} won: {:?}", self.others);
                findings.add("I2", what);
            }
        }
    }
}
