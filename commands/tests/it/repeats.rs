//! Two tries of one command at the same time: both hear what was done, also the one that finds it done already.

use keynest_commands::{
    CommandError, Commands, Executed, Origin, Repeatable, Settings, Unit, UseCase,
};
use keynest_domain::{Event, session};

use crate::world::*;

/// Is refused because of what another try does while it decides.
struct Overtaken {
    commands: Commands,
    /// The other try; without one there is only the refusal.
    other: Option<Origin>,
}

impl UseCase for Overtaken {
    type Outcome = usize;

    async fn attempt(&self, _: &mut Unit<'_>) -> Result<(), CommandError> {
        if let Some(other) = &self.other {
            self.commands.switch_notices(other, false).await?;
        }
        Err(CommandError::Session(session::Rejection::StepUpRequired))
    }

    fn outcome(&self, events: &[Event]) -> usize {
        events.len()
    }
}

/// A try with a key, as somebody sends it whose first one is still under way, or the other way round.
async fn tried(is_repeat: bool, has_other: bool) -> Result<Executed<usize>, CommandError> {
    let world = World::with(Settings::default()).await;
    world.active("ann").await;
    let ann = world.signed_in(&world.log_in("ann", PASSWORD).await.unwrap());
    let id = world.clock.command_id();
    let with = |is_repeat| Origin { command: Some(Repeatable { id, is_repeat }), ..ann.clone() };
    let other = has_other.then(|| with(!is_repeat));
    let case = Overtaken { commands: world.commands.clone(), other };
    world.commands.execute(&with(is_repeat), &case).await
}

#[tokio::test]
async fn a_try_in_whose_way_another_stands_hears_what_that_one_did() {
    for is_repeat in [true, false] {
        let done = tried(is_repeat, true).await.unwrap();
        assert_eq!((done.outcome, done.position.is_some()), (1, true), "{is_repeat}");
    }
}

#[tokio::test]
async fn a_try_that_is_alone_is_refused() {
    for is_repeat in [true, false] {
        let refused = tried(is_repeat, false).await;
        let why = session::Rejection::StepUpRequired;
        assert!(matches!(refused, Err(CommandError::Session(it)) if it == why), "{is_repeat}");
    }
}

#[tokio::test]
async fn a_repeat_of_what_is_done_hears_where_it_was_done() {
    let world = World::with(Settings::default()).await;
    world.active("ann").await;
    let ann = world.signed_in(&world.log_in("ann", PASSWORD).await.unwrap());
    let id = world.clock.command_id();
    let with = |is_repeat| Origin { command: Some(Repeatable { id, is_repeat }), ..ann.clone() };
    let first = world.commands.switch_notices(&with(false), false).await.unwrap();
    assert!(first.position.is_some());
    let again = world.commands.switch_notices(&with(true), false).await.unwrap();
    assert_eq!(again.position, first.position, "not that there was nothing to do");
}
