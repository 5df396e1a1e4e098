//! The contract that every backend keeps. One definition per case, run by all backends.

/// Instantiates every case for each backend.
macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(keynest_store::EventStore::memory()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                crate::database::with_database(async |database: crate::database::Database| {
                    super::$case(database.open(&Default::default()).await).await;
                })
                .await;
            })+
        }
    };
}

mod admission;
mod append;
mod backwards;
mod claim;
mod command;
mod race;
mod read;
mod subscribe;
