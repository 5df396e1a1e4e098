//! The one door into the product: whichever way somebody signs in, a session begins here or nowhere.

use keynest_crypto::RefreshTokens;
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
}

/// Opens a session for somebody whose first factor was proved in this try.
pub(crate) async fn open_session(
    unit: &mut Unit<'_>,
    user: UserId,
    method: SignInMethod,
) -> Result<(), CommandError> {
    let state = unit.load::<User>(user).await?;
    state.require_active()?;
    start_session(unit, user, state.epoch, method, None).await
}

/// What the events of an append opened.
pub(crate) fn opened(events: &[Event]) -> Option<Opened> {
    events.iter().find_map(|event| {
        let Event::Session(session::Event::SessionStarted(started)) = event else { return None };
        Some(Opened::Session(started.clone()))
    })
}

async fn start_session(
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
