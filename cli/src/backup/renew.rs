//! What makes a restored log safe to serve: nothing that was handed out before is good, who was erased stays erased, and
//! no mail goes out again.

use anyhow::{Context, bail};
use keynest_commands::Origin;
use keynest_store::postgres::backup::{finish_restore, is_restore_begun};
use keynest_workers::{KeyLedger, apply_ledger};

use crate::product::Product;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Keys that the ledger knows to be destroyed and the backup did not.
    pub keys_destroyed: usize,
    /// Personal and service tokens.
    pub tokens_ended: usize,
    /// Mails that waited to be tried again.
    pub mails_dropped: u64,
}

/// Finishes a restore. May be repeated: what was done is not done again.
///
/// # Errors
/// When no restore was begun, or the database does not answer; the restore can be finished later.
pub async fn renew(product: &Product, tell: impl Fn(&str)) -> anyhow::Result<Renewed> {
    if !is_restore_begun(&product.store_pool).await.context("look at the log")? {
        bail!("no restore was begun");
    }
    let mut renewed = Renewed::default();
    tell("keys");
    product.keyring.renew_service_keys().await.context("make other service keys")?;
    tell("read models");
    catch_up(product).await?;
    tell("erased people");
    let ledger = KeyLedger::open(&product.config.destroyed_file())
        .context("open the ledger of destroyed keys")?;
    renewed.keys_destroyed = apply_ledger(&product.store_pool, &product.commands, &ledger)
        .await
        .context("apply the ledger of destroyed keys")?;
    tell("tokens");
    let origin = Origin::product(product.clock.request_id());
    for token in product.queries.living_tokens().await.context("list tokens")? {
        let ended = product.commands.operate_token_revocation(&origin, token).await;
        ended.with_context(|| format!("end token {token}"))?;
        renewed.tokens_ended += 1;
    }
    tell("read models");
    catch_up(product).await?;
    let finished = finish_restore(&product.store_pool).await.context("finish the restore")?;
    renewed.mails_dropped = finished;
    Ok(renewed)
}

/// Rows of another life of the log are built anew.
async fn catch_up(product: &Product) -> anyhow::Result<()> {
    crate::serve::rebuild_what_does_not_fit(product).await?;
    product.projections.catch_up().await.context("bring the read models to the end of the log")
}
