//! What every carrier of the feed promises to reactors. One definition per case, run over both (DESIGN 7).

/// Instantiates every case for each carrier.
macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod store {
            use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
            $(#[sqlx::test(migrations = false)]
            async fn $case(_: PgPoolOptions, connect: PgConnectOptions) {
                super::$case(crate::world::World::new(connect).await).await;
            })+
        }
        mod jetstream {
            use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
            $(#[sqlx::test(migrations = false)]
            async fn $case(_: PgPoolOptions, connect: PgConnectOptions) {
                super::$case(crate::world::World::over_jetstream(connect).await).await;
            })+
        }
    };
}

mod gauges;
pub mod lead;
mod order;
mod poison;
pub mod probe;
mod retries;
