//! Opening sealed texts for the rows.

use keynest_crypto::{Context, Keyring};
use keynest_domain::Sealed;

use crate::error::ApplyError;

/// The text; `None` once its key is destroyed.
pub(crate) async fn open_text(
    keyring: &Keyring,
    context: &Context,
    sealed: &Sealed,
) -> Result<Option<String>, ApplyError> {
    let opened = keyring.open_text(context, sealed).await?;
    Ok(opened.map(|text| text.to_string()))
}
