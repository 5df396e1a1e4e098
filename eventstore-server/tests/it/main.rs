//! The server as the official Rust client sees it, over every backend of the store.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

/// Far longer than any case takes: one that waits for what never comes fails.
const CASE_MAX: std::time::Duration = std::time::Duration::from_secs(300);

async fn ends(case: impl Future<Output = ()>) {
    tokio::time::timeout(CASE_MAX, case).await.unwrap();
}

/// Instantiates every case for each backend.
macro_rules! on_each_backend {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                let face = crate::server::Face::over(keynest_store::EventStore::memory()).await;
                crate::ends(super::$case(face)).await;
            })+
        }
        mod postgres {
            $(#[sqlx::test(migrations = false)]
            async fn $case(pool: sqlx::PgPool) {
                let face = crate::server::Face::over(crate::server::in_postgres(&pool).await).await;
                crate::ends(super::$case(face)).await;
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
