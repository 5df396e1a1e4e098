//! Given / when / then: past events, a decision, new events or a rejection.

use std::fmt::Debug;

use crate::Aggregate;

/// A state folded from past events.
pub(crate) struct Given<A>(A);

/// What a decision said.
pub(crate) struct Decided<E, R>(Result<Vec<E>, R>);

/// Starts a test from the facts so far.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given(events.into_iter().fold(A::default(), |state, event| state.evolve(&event)))
}

impl<A: Aggregate> Given<A> {
    /// Decides on that state.
    pub(crate) fn when<R>(
        self,
        decide: impl FnOnce(&A) -> Result<Vec<A::Event>, R>,
    ) -> Decided<A::Event, R> {
        Decided(decide(&self.0))
    }
}

impl<E: Debug + PartialEq, R: Debug + PartialEq> Decided<E, R> {
    /// Exactly these events.
    #[track_caller]
    pub(crate) fn then<T: Into<E>>(self, events: impl IntoIterator<Item = T>) {
        assert_eq!(self.0, Ok(events.into_iter().map(Into::into).collect()));
    }

    /// Nothing to do.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        assert_eq!(self.0, Ok(Vec::new()));
    }

    /// This refusal.
    #[track_caller]
    pub(crate) fn then_rejected(self, why: R) {
        assert_eq!(self.0, Err(why));
    }
}
