//! The database's clock, which tells whether this process's clock is right (DESIGN 9).

use keynest_domain::Timestamp;

use crate::{Queries, QueryError};

impl Queries {
    /// The time by the database.
    pub async fn database_time(&self) -> Result<Timestamp, QueryError> {
        let row =
            sqlx::query!(r#"select clock_timestamp() as "now!""#).fetch_one(self.read()).await?;
        Ok(row.now.into())
    }
}
