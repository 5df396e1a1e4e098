//! `keynest dead-letters`: what reactors gave up.

use clap::Subcommand;
use keynest_domain::EventId;

use super::say;
use crate::product::Product;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// What was given up and why.
    List,
    /// Try again, with all tries.
    Replay {
        /// One event; everything if it is left out.
        event: Option<EventId>,
    },
}

pub(super) async fn run(product: &Product, action: Action) -> anyhow::Result<()> {
    match action {
        Action::List => {
            for work in product.work.dead_letters().await? {
                say!(
                    "{}  {}  {}  {} tries  since {}  {}",
                    work.event_id,
                    work.durable,
                    work.event_name,
                    work.attempts,
                    work.created_at.iso(),
                    work.error
                );
            }
        }
        Action::Replay { event } => {
            let replayed = product.work.replay(event, product.clock.now()).await?;
            say!("{replayed} dead letters will be tried again.");
        }
    }
    Ok(())
}
