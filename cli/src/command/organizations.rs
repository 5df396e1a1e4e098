//! `keynest organizations`: for teams that cannot help themselves.

use clap::Subcommand;
use keynest_commands::Origin;
use keynest_domain::OrganizationId;

use super::say;
use crate::product::Product;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Take the address rules of an organization away, when they have locked its admins out.
    ClearAddressRules {
        /// The organization's id.
        id: i64,
    },
}

pub(super) async fn run(product: &Product, action: Action) -> anyhow::Result<()> {
    let origin = Origin::product(product.clock.request_id());
    match action {
        Action::ClearAddressRules { id } => {
            let id = OrganizationId::new(id);
            let done = product.commands.clear_address_rules(&origin, id).await?;
            say!("{}", if done.position.is_some() { "cleared" } else { "there were none" });
        }
    }
    Ok(())
}
