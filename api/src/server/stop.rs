//! The wish to stop: first gracefully, then at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Shared by everything that serves.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Say that this process is not ready any more and close each connection after its answer, but take what still comes:
    /// balancers look away with a delay.
    pub leave: CancellationToken,
    /// Take nothing new, finish what runs.
    pub drain: CancellationToken,
    /// Drop what runs.
    pub now: CancellationToken,
}

impl Stop {
    /// Leaves on the first SIGINT or SIGTERM and drains after `delay`; stops at once on the second. Needs a tokio runtime.
    pub fn on_signals(delay: Duration) -> std::io::Result<Self> {
        let mut signals = Signals::new()?;
        let stop = Self::default();
        let theirs = stop.clone();
        tokio::spawn(async move {
            signals.next().await;
            tracing::info!(
                "stopping: running requests are finished, a second signal stops at once"
            );
            theirs.leave.cancel();
            let is_patient = tokio::select! {
                () = tokio::time::sleep(delay) => true,
                () = signals.next() => false,
            };
            theirs.drain.cancel();
            if is_patient {
                signals.next().await;
            }
            tracing::warn!("stopping at once");
            theirs.now.cancel();
        });
        Ok(stop)
    }
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
