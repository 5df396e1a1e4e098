//! A person makes a team and is its first admin.

use super::{Event, MemberJoined, Organization, OrganizationCreated, Rejection};
use crate::{OrganizationId, Role, Sealed, Timestamp, UserId};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateOrganization {
    pub organization: OrganizationId,
    pub name: Sealed,
    pub description: Option<Sealed>,
    pub creator: UserId,
    pub is_personal: bool,
    pub at: Timestamp,
}

/// Always possible for a new id; whether the name is free, its claim decides.
pub fn decide(state: &Organization, wish: CreateOrganization) -> Result<Vec<Event>, Rejection> {
    if state.id.is_some() {
        return Ok(Vec::new());
    }
    let CreateOrganization { organization, name, description, creator, is_personal, at } = wish;
    Ok(vec![
        OrganizationCreated { organization, name, description, creator, is_personal }.into(),
        MemberJoined { user: creator, role: Role::Admin, at }.into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    #[test]
    fn the_creator_is_its_first_admin() {
        let wish = CreateOrganization {
            organization: ACME,
            name: sealed("Acme"),
            description: None,
            creator: ANN,
            is_personal: false,
            at: NOON,
        };
        given([]).when(|state| decide(state, wish)).then([created(), joined(ANN, Role::Admin)]);
    }
}
