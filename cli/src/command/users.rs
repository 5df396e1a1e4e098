//! `keynest users`: accounts, for administrators of the instance.

use anyhow::{anyhow, bail};
use clap::Subcommand;
use keynest_commands::Origin;
use keynest_domain::{Email, UserId};
use keynest_projections::{PAGE_SIZE_MAX, Page, UserRow, UserStanding};

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
            println!("{}", if done.position.is_some() { "closed" } else { "was closed already" });
        }
        Action::Reactivate { id } => {
            let done = product.commands.reactivate_user(&origin, UserId::new(id)).await?;
            println!("{}", if done.position.is_some() { "open again" } else { "was open already" });
        }
        Action::Grant { address } => {
            let done = product.commands.grant_administrator(&origin, parse(&address)?).await?;
            let news = ["is an administrator already", "is an administrator now"];
            println!("{address} {}", news[usize::from(done.position.is_some())]);
        }
        Action::Revoke { address } => {
            let done = product.commands.revoke_administrator(&origin, parse(&address)?).await?;
            let news = ["was no administrator", "is no administrator any more"];
            println!("{address} {}", news[usize::from(done.position.is_some())]);
        }
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
        listed.items.iter().for_each(print);
        if u64::from(number) * u64::from(PAGE_SIZE_MAX) >= listed.total {
            return Ok(());
        }
        let Some(next) = number.checked_add(1) else { bail!("too many accounts to list") };
        number = next;
    }
}

fn print(user: &UserRow) {
    let standing = match user.standing {
        UserStanding::Inactive => "inactive",
        UserStanding::Active => "active",
        UserStanding::Deactivated => "closed",
    };
    let administers = if user.is_administrator { "  administrator" } else { "" };
    println!("{}  {standing:<8}  {}  {}{administers}", user.id, user.username, user.email);
}
