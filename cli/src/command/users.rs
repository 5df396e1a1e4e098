//! `keynest users`: accounts, for administrators of the instance.

use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Subcommand;
use keynest_commands::user::{EraseUser, FOOTPRINT_MAX, Footprint};
use keynest_commands::{CommandError, Origin};
use keynest_domain::{Email, Timestamp, UserId};
use keynest_projections::{FootprintRows, PAGE_SIZE_MAX, Page, UserRow, UserStanding, names};
use keynest_workers::{KeyLedger, note_in_ledger};
use tokio_util::sync::CancellationToken;

use super::say;
use crate::product::Product;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// All accounts.
    List,
    /// Close an account: every session ends, nobody signs in.
    Deactivate {
        /// The account's id.
        id: i64,
    },
    /// Open a closed account again.
    Reactivate {
        /// The account's id.
        id: i64,
    },
    /// Erase an account for good: name and address are forgotten everywhere, every session ends. For a person who asked.
    Erase {
        /// The account's address.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Take all second factors and recovery codes away from somebody who lost them. Every session ends, the password alone
    /// signs in, and the owner is told by mail. Make sure that it is the owner who asks.
    ResetFactors {
        /// The account's address.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Make an account an administrator of this instance, who sees accounts and counts, never values.
    Grant {
        /// The account's address.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Take that back.
    Revoke {
        /// The account's address.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
}

pub(super) async fn run(product: &Product, action: Action) -> anyhow::Result<()> {
    let origin = Origin::product(product.clock.request_id());
    match action {
        Action::List => return list(product).await,
        Action::Deactivate { id } => {
            let done = product.commands.deactivate_user(&origin, UserId::new(id)).await?;
            say!("{}", if done.position.is_some() { "closed" } else { "was closed already" });
        }
        Action::Reactivate { id } => {
            let done = product.commands.reactivate_user(&origin, UserId::new(id)).await?;
            say!("{}", if done.position.is_some() { "open again" } else { "was open already" });
        }
        Action::Erase { address } => return erase(product, &origin, &parse(&address)?).await,
        Action::ResetFactors { address } => {
            let done = product.commands.reset_factors(&origin, parse(&address)?).await?;
            let news = ["has no second factor", "has no second factor any more and is signed out"];
            say!("{address} {}", news[usize::from(done.position.is_some())]);
        }
        Action::Grant { address } => {
            let done = product.commands.grant_administrator(&origin, parse(&address)?).await?;
            let news = ["is an administrator already", "is an administrator now"];
            say!("{address} {}", news[usize::from(done.position.is_some())]);
        }
        Action::Revoke { address } => {
            let done = product.commands.revoke_administrator(&origin, parse(&address)?).await?;
            let news = ["was no administrator", "is no administrator any more"];
            say!("{address} {}", news[usize::from(done.position.is_some())]);
        }
    }
    Ok(())
}

/// Where the person is known is asked of the read models, which are brought up to date for it.
async fn erase(product: &Product, origin: &Origin, address: &Email) -> anyhow::Result<()> {
    let owner = product.commands.account_id(address).await?;
    let user = owner.ok_or_else(|| anyhow!("there is no account with this address"))?;
    let head = product.store.head().await?;
    let (models, patience) = (product.projections.clone(), Duration::from_secs(60));
    let stop = CancellationToken::new();
    let running = models.start(&stop);
    let is_known = models.visibility().wait_for(head, names::ALL, patience).await;
    stop.cancel();
    running.wait().await;
    if !is_known {
        bail!("the read models are behind; see `keynest status`");
    }
    let limit = u32::try_from(FOOTPRINT_MAX)?.saturating_add(1);
    let FootprintRows { organizations, invitations, environments } =
        product.queries.footprint(user, limit).await?;
    let footprint = Footprint { organizations, invitations, environments };
    match product.commands.erase_user(origin, EraseUser { user, footprint }).await {
        Ok(_) => {
            // Here and now: the machine may be given up before a process that serves takes note.
            let ledger = KeyLedger::open(&product.config.destroyed_file())?;
            let (mut since, now) = (Timestamp::from_micros(0), product.clock.now());
            note_in_ledger(&product.store_pool, &ledger, &mut since, now).await?;
            say!("erased; the address is free again");
        }
        Err(CommandError::LastAdminOf(ids)) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            bail!(
                "the last admin of organizations {}: they need another admin first",
                ids.join(", ")
            );
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn parse(address: &str) -> anyhow::Result<Email> {
    Email::parse(address).map_err(|why| anyhow!("{address}: {}", why.message))
}

async fn list(product: &Product) -> anyhow::Result<()> {
    let mut number = 1;
    loop {
        let page = Page::new(number, PAGE_SIZE_MAX);
        let listed = product.queries.list_users(page).await?;
        listed.items.iter().try_for_each(print)?;
        if u64::from(number) * u64::from(PAGE_SIZE_MAX) >= listed.total {
            return Ok(());
        }
        let Some(next) = number.checked_add(1) else { bail!("too many accounts to list") };
        number = next;
    }
}

fn print(user: &UserRow) -> anyhow::Result<()> {
    let standing = match user.standing {
        UserStanding::Inactive => "inactive",
        UserStanding::Active => "active",
        UserStanding::Deactivated => "closed",
        UserStanding::Erased => "erased",
    };
    let administers = if user.is_administrator { "  administrator" } else { "" };
    say!("{}  {standing:<8}  {}  {}{administers}", user.id, user.username, user.email);
    Ok(())
}
