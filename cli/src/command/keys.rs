//! `keynest keys`: lists and rotates keys. Shows ids, never a secret.

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use keynest_crypto::{Purpose, RootKey};
use keynest_domain::Timestamp;

use super::say;
use crate::product::Product;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// The service keys: id, purpose, age, root key.
    List,
    /// A new root key, which wraps all others from now on; or a new service key.
    Rotate {
        /// Which key.
        #[arg(value_enum, default_value_t = Which::Root)]
        key: Which,
        /// A variable that holds the new root key, where the configuration holds the old one.
        #[arg(long, value_name = "NAME")]
        new_from_env: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Wraps all other keys.
    Root,
    /// Signs access tokens.
    Signing,
    /// Makes mailed links.
    Link,
    /// Makes refresh tokens.
    Refresh,
    /// Encrypts position tokens.
    Cursor,
}

pub(super) async fn run(product: &Product, action: Action) -> anyhow::Result<()> {
    match action {
        Action::List => list(product).await,
        Action::Rotate { key: Which::Root, new_from_env } => {
            rotate_root(product, new_from_env).await
        }
        Action::Rotate { key: Which::Signing, .. } => rotate(product, Purpose::Signing).await,
        Action::Rotate { key: Which::Link, .. } => rotate(product, Purpose::Link).await,
        Action::Rotate { key: Which::Refresh, .. } => rotate(product, Purpose::Refresh).await,
        Action::Rotate { key: Which::Cursor, .. } => rotate(product, Purpose::Cursor).await,
    }
}

async fn list(product: &Product) -> anyhow::Result<()> {
    for key in product.keyring.keys().await? {
        let retired = key
            .retired_at
            .map_or_else(|| "active".to_owned(), |at| format!("retired {}", at.iso()));
        say!(
            "{}  {:<8} made {}  {retired}  root {}",
            key.id,
            key.purpose.name(),
            Timestamp::iso(key.created_at),
            key.root_id
        );
    }
    Ok(())
}

async fn rotate(product: &Product, purpose: Purpose) -> anyhow::Result<()> {
    let id = product.keyring.rotate(purpose).await?;
    say!(
        "The {} key is {id} from now on; the one before stays good for what it has made.",
        purpose.name()
    );
    Ok(())
}

async fn rotate_root(product: &Product, new_from_env: Option<String>) -> anyhow::Result<()> {
    let done = match (product.config.keys.root_key.is_set(), new_from_env) {
        (false, None) => {
            product.keyring.rotate_root_file(&product.config.root_file(), |_| {}).await?
        }
        (true, Some(name)) => {
            let text = std::env::var(&name).with_context(|| format!("read {name}"))?;
            let new = RootKey::parse(&text).with_context(|| format!("read the key in {name}"))?;
            product.keyring.rotate_root(new, |_| {}).await?
        }
        (true, None) => bail!(
            "the root key is in the configuration: name the variable that holds the new one with --new-from-env"
        ),
        (false, Some(_)) => bail!(
            "the root key is in a file, which this command replaces itself: leave --new-from-env out"
        ),
    };
    say!(
        "{} keys are wrapped by the new root key. Running processes go on; keep a copy of the new key.",
        done.rewrapped
    );
    Ok(())
}
