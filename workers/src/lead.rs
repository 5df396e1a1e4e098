//! Only one process runs a durable at a time: an advisory lock on a connection of its own, outside every pool.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often the lead is asked for, and looked after once it is there.
const TICK: Duration = Duration::from_secs(1);
/// A connection that does not answer for so long is lost, and the lead with it.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The lock of one durable. It ends with its connection, so a process that dies or is cut off loses it.
pub(crate) struct Lead(PgConnection);

impl Lead {
    /// Waits until nobody else leads; `None` when it is time to stop.
    pub async fn win(
        pool: &PgPool,
        durable: &str,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = pool.connect_options().connect().await?;
        let name = format!("keynest consumer {durable}");
        while !stop.is_cancelled() {
            let row = sqlx::query!(
                r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "is_lead!""#,
                name
            )
            .fetch_one(&mut connection)
            .await?;
            if row.is_lead {
                return Ok(Some(Self(connection)));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(TICK) => {}
            }
        }
        connection.close().await?;
        Ok(None)
    }

    /// Looks after the connection; returns when it is lost.
    pub async fn lost(&mut self) -> sqlx::Error {
        loop {
            sleep(TICK).await;
            match timeout(ANSWER_MAX, self.0.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return sqlx::Error::PoolTimedOut,
            }
        }
    }

    /// Lets the next one lead at once.
    pub async fn resign(mut self) -> Result<(), sqlx::Error> {
        // The server ends a closed connection when it gets round to it.
        sqlx::query("select pg_advisory_unlock_all()").execute(&mut self.0).await?;
        self.0.close().await
    }
}
