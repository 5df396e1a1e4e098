//! Recovery codes: made at random, shown once, kept as keyed digests under a seal.

use keynest_crypto::{Context, Subject, recovery_code};
use keynest_domain::user::factors::{RECOVERY_CODES, enrol};
use keynest_domain::user::{self, User};
use keynest_domain::{Aggregate, Event, Sealed, UserId};
use secrecy::SecretString;

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// Codes to be shown.
pub type RecoveryCodes = Vec<SecretString>;

/// Codes that nobody has seen yet.
pub(super) struct FreshCodes {
    codes: RecoveryCodes,
    /// What the log keeps of them.
    pub digests: Sealed,
}

struct Renew {
    user: UserId,
    codes: FreshCodes,
}

impl Commands {
    /// New codes; the old ones are dead. `None` for the repeat of an earlier request, whose codes were shown then.
    pub async fn renew_recovery_codes(
        &self,
        origin: &Origin,
    ) -> Result<Executed<Option<RecoveryCodes>>, CommandError> {
        let user = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let codes = self.fresh_codes(user).await?;
        self.execute(origin, &Renew { user, codes }).await
    }

    pub(super) async fn fresh_codes(&self, user: UserId) -> Result<FreshCodes, CommandError> {
        let (mut codes, mut digests) = (Vec::new(), Vec::new());
        for _ in 0..RECOVERY_CODES {
            let code = recovery_code::generate();
            let digest = recovery_code::digest(self.keyring(), &user.to_string(), &code);
            digests.push(digest.expect("a fresh code has the form of one"));
            codes.push(SecretString::from(code.as_str()));
        }
        let stream = User::stream(user);
        let context =
            Context::new(Subject::User(user), stream, "user.recovery_codes_made", "digests");
        let digests = self.keyring().seal(&context, digests.join("\n").as_bytes()).await?;
        Ok(FreshCodes { codes, digests })
    }
}

impl FreshCodes {
    /// The codes, if these events are what made them good.
    pub fn shown(&self, events: &[Event]) -> Option<RecoveryCodes> {
        let are_these = events.iter().any(|event| {
            matches!(event, Event::User(user::Event::RecoveryCodesMade(it)) if it.digests == self.digests)
        });
        are_these.then(|| self.codes.clone())
    }
}

impl UseCase for Renew {
    type Outcome = Option<RecoveryCodes>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let user = unit.load::<User>(self.user).await?;
        let events = enrol::make_codes(&user, self.codes.digests.clone(), unit.now())?;
        unit.stage::<User>(self.user, events);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        self.codes.shown(events)
    }
}
