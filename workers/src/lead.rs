//! Only one process runs a durable at a time: an advisory lock on a connection of its own, outside every pool.

use std::time::Duration;

use keynest_store::postgres::{SILENCE_MAX, answered};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often the lead is asked for, and looked after once it is there.
const TICK: Duration = Duration::from_secs(1);
/// A connection that does not answer for so long is lost, and the lead with it.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A leader is taken over from within this time, whether its process is gone or its machine, which the server drops after a
/// silence.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);
const _: () = assert!(SILENCE_MAX.as_millis() + TICK.as_millis() < TAKEN_OVER_WITHIN.as_millis());

/// The lock of one durable. It ends with its connection, so a process that dies or is cut off loses it.
pub(crate) struct Lead(PgConnection);

impl Lead {
    /// Waits until nobody else leads; `None` when it is time to stop. `pool` is that of the store, whose connections the
    /// server looks after.
    pub async fn win(
        pool: &PgPool,
        durable: &str,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = pool.connect_options().connect().await?;
        let name = format!("keynest consumer {durable}");
        while !stop.is_cancelled() {
            let ask = sqlx::query!(
                r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "is_lead!""#,
                name
            );
            let row = answered(ANSWER_MAX, ask.fetch_one(&mut connection)).await?;
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
            if let Err(error) = answered(ANSWER_MAX, self.0.ping()).await {
                return error;
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

#[cfg(test)]
mod tests {
    use keynest_store::postgres::{StoreOptions, connect_store_pool_with};
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use super::*;

    #[sqlx::test(migrations = false)]
    async fn the_server_looks_after_whoever_leads(_: PgPoolOptions, connect: PgConnectOptions) {
        let pool = connect_store_pool_with(connect, &StoreOptions::default()).await.unwrap();
        let lead = Lead::win(&pool, "probe", &CancellationToken::new()).await.unwrap();
        let mut lead = lead.unwrap();
        let settings: (String, String, String, String) = sqlx::query_as(
            "select current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'),
                 current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout')",
        )
        .fetch_one(&mut lead.0)
        .await
        .unwrap();
        let expected = ["1", "1", "2", "3000"].map(str::to_owned);
        assert_eq!(<[String; 4]>::from(settings), expected);
        lead.resign().await.unwrap();
    }
}
