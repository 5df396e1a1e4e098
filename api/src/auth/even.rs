//! Answers that must not tell by their time what was done: they are given at whole steps of time (D27).

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Well above the difference between doing something and doing nothing.
pub const STEP: Duration = Duration::from_millis(100);

/// Does the work and answers at the next step after it began.
pub async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    let steps = began.elapsed().as_millis() / STEP.as_millis() + 1;
    sleep_until(began + STEP * u32::try_from(steps).unwrap_or(u32::MAX)).await;
    done
}
