//! The end of a server: calls under way are finished, what has no end of its own is told to come back, and nobody holds it up for long.

use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, pending};
use tonic::Status;

/// Done with the wish to stop.
pub(crate) type Stopping = Shared<BoxFuture<'static, ()>>;

/// Of calls that end by themselves.
pub(crate) fn never() -> Stopping {
    pending().boxed().shared()
}

/// A reader comes back to another process.
pub(crate) fn come_back() -> Status {
    Status::unavailable("this process stops, come back")
}

/// Serves until the wish to stop, and for as long behind it as calls may go on.
pub(crate) async fn serving<E>(
    serving: impl Future<Output = Result<(), E>>,
    stopping: impl Future<Output = ()>,
    drain: Duration,
) -> Result<(), E> {
    let cut_off = async {
        stopping.await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = serving => served,
        () = cut_off => {
            tracing::warn!("some callers were cut off");
            Ok(())
        }
    }
}
