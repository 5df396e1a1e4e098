//! How many requests may read the feed at a time: each holds a part of it in memory, and most of them wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use keynest_domain::UserId;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::limits::FeedLimits;
use crate::Problem;

/// Who reads now. Clones share it.
#[derive(Clone, Debug)]
pub struct Seats(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    readers_max: usize,
    readers_per_caller_max: usize,
    taken: Mutex<HashMap<UserId, usize>>,
    count: watch::Sender<usize>,
    looks: Semaphore,
}

/// One reader; not any more when it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    user: UserId,
}

impl Seats {
    /// All of them free.
    pub fn new(limits: &FeedLimits) -> Self {
        Self(Arc::new(Shared {
            readers_max: limits.readers_max,
            readers_per_caller_max: limits.readers_per_caller_max,
            taken: Mutex::default(),
            count: watch::Sender::new(0),
            looks: Semaphore::new(limits.looks_max),
        }))
    }

    /// How many read now.
    pub fn taken(&self) -> watch::Receiver<usize> {
        self.0.count.subscribe()
    }

    /// A seat, if there is one left.
    pub fn take(&self, user: UserId) -> Result<Seat, Problem> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.0.readers_max {
            return Err(Problem::new("busy"));
        }
        let own = taken.entry(user).or_default();
        if *own >= self.0.readers_per_caller_max {
            return Err(Problem::new("too_many_readers"));
        }
        *own += 1;
        self.0.count.send_modify(|count| *count += 1);
        drop(taken);
        Ok(Seat { seats: self.clone(), user })
    }

    /// The turn to look at the log.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.looks.acquire().await.ok()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.user);
            }
        }
        self.seats.0.count.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(refused: Result<Seat, Problem>) -> String {
        refused.map(|_| String::new()).unwrap_or_else(|problem| problem.code().to_owned())
    }

    #[test]
    fn nobody_takes_all_seats_and_a_seat_is_given_back() {
        let limits =
            FeedLimits { readers_max: 5, readers_per_caller_max: 3, ..FeedLimits::default() };
        let seats = Seats::new(&limits);
        let take = |user: i64| seats.take(UserId::new(user));
        let mut first: Vec<_> = (0..3).map(|_| take(1).unwrap()).collect();
        assert_eq!(code(take(1)), "too_many_readers");
        first.pop();
        first.push(take(1).unwrap());
        let others = [take(2).unwrap(), take(3).unwrap()];
        assert_eq!(code(take(4)), "busy");
        assert_eq!(*seats.taken().borrow(), 5);
        drop((first, others));
        assert_eq!(*seats.taken().borrow(), 0);
        assert!(seats.0.taken.lock().unwrap().is_empty());
    }
}
