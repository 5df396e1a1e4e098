//! Another name or description.

use super::{Event, Organization, OrganizationUpdated, Rejection};
use crate::Sealed;

/// The wish: what name and description are from now on.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateOrganization {
    pub name: Sealed,
    pub description: Option<Sealed>,
}

/// Whether anything differs is known to whoever can read the sealed fields; whether the name is free, to its claim.
pub fn decide(state: &Organization, wish: UpdateOrganization) -> Result<Vec<Event>, Rejection> {
    if !state.is_alive() {
        return Ok(Vec::new());
    }
    let UpdateOrganization { name, description } = wish;
    Ok(vec![OrganizationUpdated { name, description }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    #[test]
    fn name_and_description_are_replaced_together() {
        let wish = || UpdateOrganization { name: sealed("Apex"), description: None };
        let updated = OrganizationUpdated { name: sealed("Apex"), description: None };
        given([created()]).when(|state| decide(state, wish())).then([updated]);
        given([created(), deleted()]).when(|state| decide(state, wish())).then_nothing();
    }
}
