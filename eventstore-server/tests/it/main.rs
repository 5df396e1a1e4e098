//! The server as the official Rust client sees it, over every backend of the store.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

/// Instantiates every case for each backend.
macro_rules! on_each_backend {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::server::Face::over(keynest_store::EventStore::memory()).await).await;
            })+
        }
        mod postgres {
            $(#[sqlx::test(migrations = false)]
            async fn $case(pool: sqlx::PgPool) {
                super::$case(crate::server::Face::over(crate::server::in_postgres(&pool).await).await).await;
            })+
        }
    };
}

mod append;
mod clients;
mod delete;
mod ending;
mod feed;
mod native;
mod persistent;
mod read;
mod server;
mod subscribe;
mod wire;
