//! `keynest status`: how far everything is.

use super::migrate::described;
use super::say;
use crate::product::Product;

pub(super) async fn run(product: &Product) -> anyhow::Result<()> {
    let head = product.store.head().await?;
    say!("log            {}, life {}", product.extent(head), product.store.incarnation().get());
    let (level, highest) = product.log.level().await?;
    let finish = if level < highest { ": `keynest migrate --finish` ends the upgrade" } else { "" };
    say!("format         level {level}, this binary reads up to {highest}{finish}");
    for process in product.log.processes().await?.iter().filter(|it| it.part != "command") {
        say!("process        {}", described(process));
    }
    for model in product.projections.status().await? {
        let parked = if model.parked.is_empty() {
            String::new()
        } else {
            format!(", {} parked", model.parked.len())
        };
        let rebuild = if model.needs_rebuild() { ", NEEDS A REBUILD" } else { "" };
        say!(
            "{:<14} {} events, {:.1} s behind{parked}{rebuild}",
            model.name,
            model.events_behind,
            model.seconds_behind
        );
        for parked in &model.parked {
            say!(
                "{:<14} parked {} at {}: {}",
                "",
                parked.stream,
                parked.position.to_stored(),
                parked.error
            );
        }
    }
    let incarnation = product.store.incarnation();
    if let Some(place) = product.work.place("mailer", incarnation).await? {
        let behind = product.store.count_between(place, head).await?;
        say!("{:<14} {behind} events behind", "mailer");
    }
    let (waiting, dead) = product.work.counts("mailer").await?;
    say!("mails          {waiting} waiting for another try, {dead} given up");
    Ok(())
}
