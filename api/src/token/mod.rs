//! What requests and answers about tokens have in common.

mod shape;
mod wish;

use keynest_domain::TokenId;
use keynest_projections::TokenRow;

use crate::{App, Problem};

pub use shape::{Created, Token};
pub use wish::Wish;

impl App {
    /// Rows as answers show them, with their last uses.
    pub(crate) async fn with_last_uses(&self, rows: Vec<TokenRow>) -> Result<Vec<Token>, Problem> {
        let ids: Vec<TokenId> = rows.iter().map(|row| row.id).collect();
        let used = self.token_uses.last(&ids).await;
        let used = used.map_err(|error| Problem::unavailable(&error))?;
        Ok(rows.into_iter().map(|row| Token::new(row, &used)).collect())
    }
}
