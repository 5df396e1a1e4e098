//! An environment from its creation to its deletion.

use super::{
    Environment, EnvironmentCreated, EnvironmentDeleted, EnvironmentUpdated, Event, Rejection,
};
use crate::ProjectId;

/// Refuses a parent that is not the one it has; `None` asks for nothing (D4).
pub fn require_parent(state: &Environment, wanted: Option<ProjectId>) -> Result<(), Rejection> {
    match wanted {
        Some(_) if wanted != state.project => Err(Rejection::ParentIsFixed),
        Some(_) | None => Ok(()),
    }
}

/// Makes an environment; whether the name is free in the project, its claim decides.
pub fn create(state: &Environment, wish: EnvironmentCreated) -> Result<Vec<Event>, Rejection> {
    Ok(if state.id.is_none() { vec![wish.into()] } else { Vec::new() })
}

/// Name, type and description from now on; whoever can read the sealed fields knows that they differ.
pub fn update(state: &Environment, wish: EnvironmentUpdated) -> Result<Vec<Event>, Rejection> {
    Ok(if state.is_alive() { vec![wish.into()] } else { Vec::new() })
}

/// Ends an environment, and by it all its variables.
pub fn delete(state: &Environment) -> Result<Vec<Event>, Rejection> {
    Ok(if state.is_alive() { vec![EnvironmentDeleted {}.into()] } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::EnvironmentType;
    use crate::testing::given;

    #[test]
    fn an_environment_lives_from_its_creation_to_its_deletion() {
        let updated = || EnvironmentUpdated {
            name: sealed("staging"),
            environment_type: EnvironmentType::Staging,
            description: None,
        };
        given([]).when(|state| create(state, made())).then([made()]);
        given([created()]).when(|state| create(state, made())).then_nothing();
        given([created()]).when(|state| update(state, updated())).then([updated()]);
        given([created()]).when(delete).then([EnvironmentDeleted {}]);
        let ended = || [created(), EnvironmentDeleted {}.into()];
        given(ended()).when(|state| update(state, updated())).then_nothing();
        given(ended()).when(delete).then_nothing();
    }

    #[test]
    fn an_environment_never_leaves_its_project() {
        let check = |wanted| {
            move |state: &Environment| require_parent(state, wanted).map(|()| Vec::<Event>::new())
        };
        given([created()]).when(check(None)).then_nothing();
        given([created()]).when(check(Some(WEB))).then_nothing();
        given([created()])
            .when(check(Some(ProjectId::new(8))))
            .then_rejected(Rejection::ParentIsFixed);
    }
}
