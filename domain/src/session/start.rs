//! Begin a session after a sign-in.

use super::{Event, Rejection, Session, SessionStarted};

/// A fresh id, and an account that was just proved.
pub fn decide(state: &Session, wish: SessionStarted) -> Result<Vec<Event>, Rejection> {
    if state.id.is_some() {
        return Err(Rejection::AlreadyStarted);
    }
    Ok(vec![wish.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::samples::started;
    use crate::testing::given;

    #[test]
    fn a_session_starts_once() {
        let Event::SessionStarted(wish) = started() else { panic!("not a start") };
        given::<Session>([]).when(|state| decide(state, wish.clone())).then([started()]);
        given::<Session>([started()])
            .when(|state| decide(state, wish))
            .then_rejected(Rejection::AlreadyStarted);
    }
}
