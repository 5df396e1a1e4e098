//! Reading one's own writes: up to where each projection is visible, watched in process (DESIGN 6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keynest_store::Position;
use tokio::sync::watch;

/// Up to where each projection is visible to queries. Clones share everything.
#[derive(Clone, Debug)]
pub struct Visibility {
    positions: Arc<BTreeMap<&'static str, watch::Sender<Position>>>,
    waiting: Arc<watch::Sender<usize>>,
}

/// One caller that waits; not any more when it is dropped.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl Visibility {
    pub(crate) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let positions = names.map(|name| (name, watch::Sender::new(Position::START))).collect();
        Self { positions: Arc::new(positions), waiting: Arc::new(watch::Sender::new(0)) }
    }

    /// Waits until all of these projections have come as far as a position. `false` when time is up,
    /// and for a name that no projection has.
    pub async fn wait_for(
        &self,
        position: Position,
        projections: &[&str],
        timeout: Duration,
    ) -> bool {
        if projections.iter().all(|name| self.position(name) >= Some(position)) {
            return true;
        }
        let _waiting = Waiting::new(&self.waiting);
        let all = async {
            for name in projections {
                let Some(sender) = self.positions.get(name) else { return false };
                if sender.subscribe().wait_for(|visible| *visible >= position).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(timeout, all).await.unwrap_or(false)
    }

    /// Up to where a projection is visible, as far as this process knows.
    pub fn position(&self, projection: &str) -> Option<Position> {
        self.positions.get(projection).map(|sender| *sender.borrow())
    }

    /// Sets it to what was read or written. It goes back when the database lost its last commits.
    pub(crate) fn publish(&self, projection: &str, position: Position) {
        if let Some(sender) = self.positions.get(projection) {
            sender.send_if_modified(|visible| std::mem::replace(visible, position) != position);
        }
    }

    /// How many callers wait.
    pub(crate) fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }
}

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|waiting| *waiting += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    fn at(position: u64) -> Position {
        Position::from_stored(position)
    }

    #[tokio::test]
    async fn a_caller_waits_for_the_last_of_its_models() {
        let visibility = Visibility::new(["users", "projects"].into_iter());
        visibility.publish("users", at(5));
        let caller = tokio::spawn({
            let visibility = visibility.clone();
            async move { visibility.wait_for(at(5), &["users", "projects"], SOON).await }
        });
        visibility.waiting().wait_for(|waiting| *waiting == 1).await.unwrap();
        assert!(!caller.is_finished());
        visibility.publish("projects", at(6));
        assert!(caller.await.unwrap());
        assert_eq!(*visibility.waiting().borrow(), 0);
    }

    #[tokio::test]
    async fn time_is_up_and_unknown_names_are_never_visible() {
        let visibility = Visibility::new(["users"].into_iter());
        assert!(!visibility.wait_for(at(1), &["users"], Duration::ZERO).await);
        visibility.publish("users", at(9));
        assert!(visibility.wait_for(at(9), &["users"], Duration::ZERO).await);
        assert!(!visibility.wait_for(at(1), &["nobody"], SOON).await);
        assert!(visibility.wait_for(at(1), &[], Duration::ZERO).await);
    }
}
