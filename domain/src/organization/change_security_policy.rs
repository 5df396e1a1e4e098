//! What an organization asks of its members' sign-ins. Nobody switches on what would lock themselves out.

use super::{Event, Organization, Rejection, SecurityPolicy, SecurityPolicyChanged};

/// The wish.
#[derive(Clone, Copy, Debug)]
pub struct ChangeSecurityPolicy {
    /// From now on.
    pub policy: SecurityPolicy,
    /// Whether the admin who asks has signed in with a second factor.
    pub is_satisfied: bool,
}

/// Changes it, if it differs.
pub fn decide(state: &Organization, wish: ChangeSecurityPolicy) -> Result<Vec<Event>, Rejection> {
    if !state.is_alive() || state.policy == wish.policy {
        return Ok(Vec::new());
    }
    if wish.policy.require_second_factor && !wish.is_satisfied {
        return Err(Rejection::LocksOneselfOut);
    }
    let SecurityPolicy { require_second_factor, step_up } = wish.policy;
    Ok(vec![SecurityPolicyChanged { require_second_factor, step_up }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    fn wish(
        require_second_factor: bool,
        step_up: bool,
        is_satisfied: bool,
    ) -> impl FnOnce(&Organization) -> Result<Vec<Event>, Rejection> {
        let policy = SecurityPolicy { require_second_factor, step_up };
        move |state| decide(state, ChangeSecurityPolicy { policy, is_satisfied })
    }

    #[test]
    fn only_who_satisfies_it_switches_it_on_and_anybody_switches_it_off() {
        let on = SecurityPolicyChanged { require_second_factor: true, step_up: false };
        given([created()]).when(wish(true, false, false)).then_rejected(Rejection::LocksOneselfOut);
        given([created()]).when(wish(true, false, true)).then([on.clone()]);
        given([created(), on.clone().into()]).when(wish(true, false, false)).then_nothing();
        let off = SecurityPolicyChanged { require_second_factor: false, step_up: false };
        given([created(), on.into()]).when(wish(false, false, false)).then([off]);
        let step_up = SecurityPolicyChanged { require_second_factor: false, step_up: true };
        given([created()]).when(wish(false, true, false)).then([step_up]);
        given([created(), deleted()]).when(wish(true, true, true)).then_nothing();
    }
}
