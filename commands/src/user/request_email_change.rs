//! Ask for another address, with the password or right after a sign-in. Nothing changes before both sides have confirmed,
//! and nobody learns here whether the address is free.

use keynest_crypto::{Password, Subject, random};
use keynest_domain::login::{self, Login};
use keynest_domain::user::{self, Rejection, User, request_email_change};
use keynest_domain::{Email, Event, LoginId, Sealed, UserId};

use crate::login::login_id;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

pub(super) const EVENT: &str = "user.email_change_requested";

/// The wish.
#[derive(Clone)]
pub struct RequestEmailChange {
    /// The address from then on.
    pub email: Email,
    /// The current password; without it the sign-in must be fresh.
    pub current: Option<Password>,
}

struct Proved {
    user: UserId,
    email: Email,
    proof: Proof,
}

enum Proof {
    /// What the current password was found right for, and where guesses of it are counted.
    Password(Option<Sealed>, LoginId),
    FreshSignIn,
}

impl Commands {
    /// Sends a link to both addresses. An older wish is dead.
    pub async fn request_email_change(
        &self,
        origin: &Origin,
        wish: RequestEmailChange,
    ) -> Result<Executed<()>, CommandError> {
        let id = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let user = self.read::<User>(id).await?;
        user.require_active()?;
        if self.open_user_email(id, &user).await? == wish.email {
            return Err(Rejection::SameEmail.into());
        }
        let proof = match &wish.current {
            None => Proof::FreshSignIn,
            Some(current) => {
                let login = login_id(self.keyring(), "login-change", &id.to_string());
                self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
                let stored = match &user.password {
                    Some(_) => Some(self.open_user_password(id, &user).await?),
                    None => None,
                };
                let is_right = self.hasher().verify(current, stored.as_deref()).await?;
                Proof::Password(user.password.clone().filter(|_| is_right), login)
            }
        };
        let case = Proved { user: id, email: wish.email, proof };
        let executed = self.execute(origin, &case).await?;
        executed.outcome?;
        Ok(Executed { position: executed.position, outcome: () })
    }
}

impl UseCase for Proved {
    type Outcome = Result<(), Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        let (at, who) = (unit.now(), Some(self.user));
        if user.factors.is_on() {
            // The password proves one factor of two.
            unit.require_fresh_sign_in().await?;
        }
        match &self.proof {
            Proof::FreshSignIn => unit.require_fresh_sign_in().await?,
            Proof::Password(verified, counter) => {
                let login = unit.load::<Login>(*counter).await?;
                if !user.is_proved_by(verified.as_ref()) {
                    let lockout = &unit.commands().settings().lockout;
                    unit.stage::<Login>(*counter, login::fail(&login, who, lockout, at)?);
                    return Ok(());
                }
                unit.stage::<Login>(*counter, login::succeed(&login, who, at)?);
            }
        }
        let subject = Subject::User(self.user);
        let email =
            unit.seal::<User>(subject, self.user, EVENT, "email", self.email.as_str()).await?;
        let wish = request_email_change::RequestEmailChange {
            email,
            new_nonce: random::link_nonce(),
            old_nonce: random::link_nonce(),
            kept: unit.origin().session,
            at,
        };
        unit.stage::<User>(
            self.user,
            request_email_change::decide(&user, wish, &unit.commands().settings().links)?,
        );
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        let is_done = events
            .iter()
            .any(|event| matches!(event, Event::User(user::Event::EmailChangeRequested(_))));
        if is_done { Ok(()) } else { Err(Rejection::WrongPassword) }
    }
}
