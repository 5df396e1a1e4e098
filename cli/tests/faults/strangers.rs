//! People who may not: whatever is broken, nobody gives them anything (I8).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::actors::Memory;
use crate::caller::Caller;

/// Between two tries.
const KNOCK_EVERY: Duration = Duration::from_millis(100);

/// Knock at every process until they are stopped.
pub fn come(memories: &[(Caller, Arc<Mutex<Memory>>)]) -> JoinHandle<()> {
    let (victim, memory) = &memories[0];
    let known = memory.lock().unwrap().clone();
    let member = memories.last().map(|(caller, _)| caller.clone());
    let (mut nobody, mut forger) = (victim.clone(), victim.clone());
    nobody.token = None;
    // Somebody else's signature under the same claims.
    forger.token = victim.token.as_deref().map(forge);
    let outsider = member.filter(|caller| caller.name() != victim.name());
    tokio::spawn(async move {
        let mut every = tokio::time::interval(KNOCK_EVERY);
        let paths = [
            format!("/api/core/environments/{}/export/?format=json", known.environment),
            format!("/api/core/organizations/{}/invitations/", known.organization),
        ];
        let strangers = [Some(nobody), Some(forger), outsider];
        loop {
            for stranger in strangers.iter().flatten() {
                every.tick().await;
                for address in stranger.balancer().all() {
                    for path in &paths {
                        if let Some(status @ 200..300) = stranger.knock(address, path).await {
                            let scandal = format!("I8 {path} gave {status} to a stranger");
                            stranger.ledger().open().scandals.push(scandal);
                        }
                    }
                }
            }
        }
    })
}

fn forge(token: &str) -> String {
    let (claims, signature) = token.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    format!("{claims}.{turned}")
}
