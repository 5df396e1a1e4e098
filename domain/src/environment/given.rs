//! The facts that the rules' tests start from.

use super::{EnvironmentCreated, Event, VariableCreated, VariableDeleted};
use crate::{
    EnvironmentId, EnvironmentType, OrganizationId, ProjectId, Sealed, UserId, VariableId,
    VariableKey,
};

pub(super) const ANN: UserId = UserId::new(1);
pub(super) const WEB: ProjectId = ProjectId::new(7);
pub(super) const FIRST: VariableId = VariableId::new(11);
pub(super) const SECOND: VariableId = VariableId::new(12);

pub(super) fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

pub(super) fn key(text: &str) -> VariableKey {
    VariableKey::parse(text).unwrap()
}

pub(super) fn made() -> EnvironmentCreated {
    EnvironmentCreated {
        environment: EnvironmentId::new(9),
        project: WEB,
        organization: OrganizationId::new(1),
        name: sealed("dev"),
        environment_type: EnvironmentType::Development,
        description: None,
        creator: ANN,
    }
}

pub(super) fn created() -> Event {
    made().into()
}

pub(super) fn with(variable: VariableId, name: &str) -> Event {
    VariableCreated { variable, key: key(name), value: sealed("v1"), creator: ANN }.into()
}

pub(super) fn without(variable: VariableId, name: &str) -> Event {
    VariableDeleted { variable, key: key(name) }.into()
}
