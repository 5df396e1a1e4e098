//! `keynest users`: accounts, for administrators of the instance.

use anyhow::bail;
use clap::Subcommand;
use keynest_commands::Origin;
use keynest_domain::UserId;
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
    }
    Ok(())
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
    println!("{}  {standing:<8}  {}  {}", user.id, user.username, user.email);
}
