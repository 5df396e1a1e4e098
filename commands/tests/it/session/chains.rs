//! Every chain of refreshes, with real tokens: whatever is presented when, a token older than the predecessor ends its
//! session, and nothing else does (DESIGN 8, A4).

use keynest_commands::CommandError;
use keynest_domain::Lifetime;
use keynest_domain::session::{GRACE, Rejection};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use crate::world::{PASSWORD, World};

/// What a client or a thief does next: waits some seconds, presents the token of so many generations ago.
type Step = (u32, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![3 => Just(0_u32), 3 => 1_u32..12, 1 => 12_u32..4_000];
    let age =
        prop_oneof![6 => Just(0_usize), 3 => Just(1_usize), 2 => Just(2_usize), 1 => 3_usize..6];
    prop::collection::vec((wait, age), 1..30)
}

/// Too near to the end of the grace for a clock that goes on while a slow machine computes.
const NEAR: std::ops::Range<u32> = GRACE.secs() - 5..GRACE.secs();

/// Follows one chain with a model of its own: the tokens handed out, and when each was first used.
async fn follow(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = World::new().await;
    world.active("ann").await;
    let mut tokens =
        vec![world.log_in("ann", PASSWORD).await.unwrap().refresh.expose_secret().to_owned()];
    let (mut now, mut first_used): (u32, Vec<u32>) = (0, Vec::new());
    let mut has_ended = false;
    for (wait, age) in steps {
        world.clock.advance(Lifetime::from_secs(wait));
        now += wait;
        let presented = tokens.len() - 1 - age.min(tokens.len() - 1);
        let newest = tokens.len() - 1;
        // Its successor was used so long ago.
        let since = first_used.get(presented + 1).map(|used| now - used);
        let is_good = match newest - presented {
            0 | 1 => true,
            2 => since.is_some_and(|since| since < GRACE.secs()),
            _ => false,
        };
        if newest - presented == 2 && since.is_some_and(|since| NEAR.contains(&since)) {
            continue;
        }
        let answer = world.refresh(&tokens[presented]).await;
        match (has_ended, is_good) {
            (true, _) => {
                prop_assert!(matches!(answer, Err(CommandError::Session(Rejection::Ended))))
            }
            (false, true) => {
                let given = answer.unwrap().refresh.expose_secret().to_owned();
                if presented == newest {
                    prop_assert!(!tokens.contains(&given));
                    tokens.push(given);
                    first_used.push(now);
                } else {
                    prop_assert_eq!(&given, &tokens[presented + 1], "its own successor");
                }
            }
            (false, false) => {
                prop_assert!(matches!(answer, Err(CommandError::Session(Rejection::Reused))));
                has_ended = true;
            }
        }
    }
    let found = world.count("session.refresh_token_reuse_detected").await;
    prop_assert_eq!(found, usize::from(has_ended));
    prop_assert_eq!(world.count("session.ended").await, usize::from(has_ended));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a04_every_replay_of_a_token_older_than_the_predecessor_ends_its_session(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(steps))?;
    }
}
