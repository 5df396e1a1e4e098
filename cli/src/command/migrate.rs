//! `keynest migrate`: opening the product has done it.

use crate::product::Product;

pub(super) async fn run(product: &Product) -> anyhow::Result<()> {
    let head = product.store.head().await?;
    println!("The database is at this version; the log has {} events.", head.to_stored());
    Ok(())
}
