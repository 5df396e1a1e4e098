//! The one door into the product: whichever way somebody signs in, a session begins here or nowhere.

use keynest_crypto::RefreshTokens;
use keynest_domain::challenge::{self, Challenge, ChallengeIssued};
use keynest_domain::session::{self, SecondFactor, Session, SessionStarted, SignInMethod};
use keynest_domain::user::User;
use keynest_domain::{Event, UserId};

use super::notice_device;
use crate::{CommandError, Unit};

/// What a sign-in with a proved first factor came to, as the log says it.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    /// Nothing more is asked.
    Session(SessionStarted),
    /// The second factor is asked for.
    Challenge(ChallengeIssued),
}

/// Opens a session for somebody whose first factor was proved in this try; asks for the second one where there is one.
/// A passkey alone is two: the device, and its holder verified by it.
pub(crate) async fn open_session(
    unit: &mut Unit<'_>,
    user: UserId,
    method: SignInMethod,
) -> Result<(), CommandError> {
    let state = unit.load::<User>(user).await?;
    state.require_active()?;
    if method == SignInMethod::Passkey {
        return start_session(unit, user, state.epoch, method, Some(SecondFactor::Passkey)).await;
    }
    if !state.factors.is_on() {
        return start_session(unit, user, state.epoch, method, None).await;
    }
    let challenge = unit.commands().clock().challenge_id();
    let at = unit.now();
    let expires_at = at + unit.commands().settings().challenge_for;
    let wish = ChallengeIssued { challenge, user, epoch: state.epoch, method, expires_at, at };
    unit.stage::<Challenge>(challenge, challenge::issue(&Challenge::default(), wish)?);
    Ok(())
}

/// What the events of an append opened.
pub(crate) fn opened(events: &[Event]) -> Option<Opened> {
    events.iter().find_map(|event| {
        if let Event::Session(session::Event::SessionStarted(started)) = event {
            return Some(Opened::Session(started.clone()));
        }
        let Event::Challenge(challenge::Event::ChallengeIssued(issued)) = event else {
            return None;
        };
        Some(Opened::Challenge(issued.clone()))
    })
}

/// Begins the session of somebody who proved everything that is asked for.
pub(super) async fn start_session(
    unit: &mut Unit<'_>,
    user: UserId,
    epoch: u32,
    method: SignInMethod,
    second_factor: Option<SecondFactor>,
) -> Result<(), CommandError> {
    let session = unit.commands().clock().session_id();
    let refresh_key = RefreshTokens::new(unit.commands().keyring().clone()).current_key_id();
    let at = unit.now();
    let wish = SessionStarted { session, user, epoch, refresh_key, method, second_factor, at };
    unit.stage::<Session>(session, session::start::decide(&Session::default(), wish)?);
    notice_device(unit, user, session).await
}
