//! A person makes a token that acts as its owner.

use keynest_crypto::Subject;
use keynest_domain::user::{self, TokenCreated, User, create_token};
use keynest_domain::{Aggregate, Event, TokenId};

use crate::token::{Made, NewToken};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

const EVENT: &str = "user.token_created";

/// The wish.
#[derive(Clone, Debug)]
pub struct CreateToken(pub NewToken);

impl Commands {
    /// Makes a personal token.
    pub async fn create_token(
        &self,
        origin: &Origin,
        wish: CreateToken,
    ) -> Result<Executed<Made>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for CreateToken {
    type Outcome = Made;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let Self(wish) = self;
        unit.require_fresh_sign_in().await?;
        let (owner, at) = (unit.actor()?, unit.now());
        let state = unit.load::<User>(owner).await?;
        let is_two_factor = unit.has_second_factor().await?;
        let scope = unit.scope(&wish.scope).await?;
        let token = TokenId::new(unit.commands().clock().integer_id());
        let subject = Subject::User(owner);
        let name = unit.seal::<User>(subject, owner, EVENT, "name", wish.name.as_str()).await?;
        let ranges = unit.seal_ranges::<User>(subject, owner, EVENT, &wish.ranges).await?;
        let created = TokenCreated {
            token,
            name,
            scope,
            ranges,
            digest: wish.digest.clone(),
            expires_at: at + wish.lifetime,
            is_two_factor,
            at,
        };
        let tokens_max = unit.commands().settings().tokens_per_user_max;
        unit.stage::<User>(owner, create_token::decide(&state, created, tokens_max)?);
        unit.claim(claims::token(token), User::stream(owner));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Made {
        events.iter().find_map(made).expect("making a token always appends its creation")
    }
}

fn made(event: &Event) -> Option<Made> {
    let Event::User(user::Event::TokenCreated(it)) = event else { return None };
    Some(Made { id: it.token, digest: it.digest.clone(), expires_at: it.expires_at })
}
