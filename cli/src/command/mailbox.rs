//! `keynest mailbox`: mails that stayed here because no SMTP server is configured.

use clap::Args;

use super::say;
use crate::product::Product;

#[derive(Debug, Args)]
pub struct Options {
    /// Only mails to this address.
    #[arg(long)]
    to: Option<String>,
    /// How many, the newest first.
    #[arg(long, default_value_t = 10)]
    limit: u32,
}

pub(super) async fn run(product: &Product, options: Options) -> anyhow::Result<()> {
    for mail in product.mailbox.list(options.to.as_deref(), i64::from(options.limit)).await? {
        say!(
            "{}  to {}\nSubject: {}\n\n{}\n",
            mail.sent_at.iso(),
            mail.recipient,
            mail.subject,
            mail.body_text
        );
    }
    Ok(())
}
