//! No fault at all: what the others are compared with, and the load that goes on until the log is long enough.

use std::time::Duration;

use async_trait::async_trait;

use crate::fault::Fault;
use crate::world::World;

/// Between two looks at the log.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub struct Calm;

#[async_trait]
impl Fault for Calm {
    fn name(&self) -> &'static str {
        "none"
    }

    fn times(&self, _world: &World) -> usize {
        1
    }

    fn requests(&self) -> u64 {
        60
    }

    async fn inject(&mut self, world: &mut World) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        let head = async || {
            let head = sqlx::query_scalar::<_, i64>("select position from store.log");
            head.fetch_one(&world.db).await.unwrap()
        };
        while head().await < world.settings.events {
            every.tick().await;
        }
    }

    async fn heal(&mut self, _world: &mut World) {}
}
