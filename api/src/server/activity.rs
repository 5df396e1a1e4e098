//! What a connection is doing, shared by the guard on its stream and by its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use tokio::time::{Duration, Instant};

/// Counts of one connection.
pub struct Activity {
    opened: Instant,
    started: AtomicUsize,
    finished: AtomicUsize,
    /// Milliseconds from `opened` to the end of the last answer.
    last_end: AtomicU64,
    waker: AtomicWaker,
}

/// A request from its head to the last byte of its answer, or to its being dropped.
pub struct InFlight(Arc<Activity>);

impl Activity {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            started: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            last_end: AtomicU64::new(0),
            waker: AtomicWaker::new(),
        })
    }

    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.started.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    pub fn finished(&self) -> usize {
        self.finished.load(Ordering::Acquire)
    }

    pub fn is_quiet(&self) -> bool {
        self.finished() >= self.started.load(Ordering::Acquire)
    }

    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// The end of the last answer, or the opening of the connection.
    pub fn last_end(&self) -> Instant {
        self.opened + Duration::from_millis(self.last_end.load(Ordering::Acquire))
    }

    /// Ready when so many requests have been answered.
    pub fn poll_finished(&self, requests: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.finished() >= requests { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let millis = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_end.store(millis, Ordering::Release);
        self.0.finished.fetch_add(1, Ordering::AcqRel);
        self.0.waker.wake();
    }
}
