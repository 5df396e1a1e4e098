//! From where members reach the organization.

use super::{AddressRulesChanged, Event, Organization};
use crate::{AddressMode, Sealed};

/// The wish: the rules that hold from now on.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeAddressRules {
    pub mode: AddressMode,
    pub rules: Sealed,
}

/// Whether anything differs, and whether the admin would be locked out, is known to whoever can read the sealed rules.
pub fn decide(state: &Organization, wish: ChangeAddressRules) -> Vec<Event> {
    let ChangeAddressRules { mode, rules } = wish;
    if !state.is_alive() {
        return Vec::new();
    }
    vec![AddressRulesChanged { mode, rules }.into()]
}

#[cfg(test)]
mod tests {
    use super::super::Rejection;
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    fn wish() -> ChangeAddressRules {
        ChangeAddressRules { mode: AddressMode::Enforced, rules: sealed("{}") }
    }

    #[test]
    fn a_living_organization_changes_its_rules() {
        let decided = |state: &Organization| Ok::<_, Rejection>(decide(state, wish()));
        let changed = AddressRulesChanged { mode: AddressMode::Enforced, rules: sealed("{}") };
        given([created()]).when(decided).then([changed]);
        given([created(), deleted()]).when(decided).then_nothing();
    }
}
