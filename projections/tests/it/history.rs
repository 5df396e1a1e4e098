//! A random but valid history, for comparing what projections make of it.

use keynest_crypto::Subject;
use keynest_domain::environment::*;
use keynest_domain::organization::*;
use keynest_domain::project::{Project, ProjectUpdated};
use keynest_domain::*;
use keynest_store::Metadata;

use crate::world::*;

/// Numbers that follow from a seed (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let count = u64::try_from(from.len()).unwrap();
        (count > 0).then(|| from[usize::try_from(self.below(count)).unwrap()])
    }
}

/// What exists so far.
#[derive(Default)]
pub struct History {
    next: i64,
    people: Vec<UserId>,
    organizations: Vec<OrganizationId>,
    projects: Vec<(ProjectId, OrganizationId)>,
    environments: Vec<(EnvironmentId, OrganizationId)>,
    variables: Vec<(i64, EnvironmentId, u32, VariableKey)>,
    invitations: Vec<InvitationId>,
}

impl History {
    /// With ids above this one.
    pub fn starting_at(id: i64) -> Self {
        Self { next: id, ..Self::default() }
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// Appends one to a few events.
    pub async fn step(&mut self, world: &World, dice: &mut Dice) {
        let actor = dice.pick(&self.people).unwrap_or(ANN);
        match dice.below(15) {
            0 => {
                let user = UserId::new(self.id());
                world.person(user, &format!("Person{user}")).await;
                self.people.push(user);
            }
            1 => {
                let id = OrganizationId::new(self.id());
                world.organization(id, actor, &format!("Team {id}")).await;
                self.organizations.push(id);
            }
            2 => {
                let Some(organization) = dice.pick(&self.organizations) else { return };
                let id = ProjectId::new(self.id());
                world.project(id, organization, actor, &format!("Project {id}")).await;
                self.projects.push((id, organization));
            }
            3 => {
                let Some(parents) = dice.pick(&self.projects) else { return };
                let id = EnvironmentId::new(self.id());
                world.environment(id, parents, actor, &format!("env-{id}")).await;
                self.environments.push((id, parents.1));
            }
            4 => self.rename(world, dice, actor).await,
            5 => {
                let id = session(u128::from(self.id().unsigned_abs()));
                world.signs_in(actor, id, at(self.next)).await;
            }
            6 => self.forget(world, dice, actor).await,
            7 => self.rename_project(world, dice, actor).await,
            8 => self.invite(world, dice, actor).await,
            9 => self.destroy_a_key(world, dice).await,
            _ => self.set_values(world, dice, actor).await,
        }
    }

    async fn rename(&mut self, world: &World, dice: &mut Dice, actor: UserId) {
        let Some(id) = dice.pick(&self.organizations) else { return };
        let (subject, stream) = (Subject::Organization(id), Organization::stream(id));
        let text = format!("Renamed {}", self.id());
        let name = world.seal(subject, stream, "organization.updated", "name", &text).await;
        world.by::<Organization>(actor, id, OrganizationUpdated { name, description: None }).await;
    }

    async fn rename_project(&mut self, world: &World, dice: &mut Dice, actor: UserId) {
        let Some((id, organization)) = dice.pick(&self.projects) else { return };
        let (subject, stream) = (Subject::Organization(organization), Project::stream(id));
        let text = format!("Renamed {}", self.id());
        let name = world.seal(subject, stream, "project.updated", "name", &text).await;
        let updated = ProjectUpdated { name, description: None, is_renamed: true };
        world.by::<Project>(actor, id, updated).await;
    }

    /// Of somebody or something of which nothing more is heard.
    async fn destroy_a_key(&mut self, world: &World, dice: &mut Dice) {
        let subject = match dice.below(6) {
            0 => dice.pick(&self.people).map(Subject::User),
            1 => dice.pick(&self.organizations).map(Subject::Organization),
            _ => dice.pick(&self.invitations).map(Subject::Invitation),
        };
        let Some(subject) = subject else { return };
        self.people.retain(|it| Subject::User(*it) != subject);
        self.invitations.retain(|it| Subject::Invitation(*it) != subject);
        let is_other = |it: &OrganizationId| Subject::Organization(*it) != subject;
        self.organizations.retain(is_other);
        self.projects.retain(|it| is_other(&it.1));
        self.environments.retain(|it| is_other(&it.1));
        world.announces(subject).await;
    }

    /// An invitation and, now and then, its acceptance.
    async fn invite(&mut self, world: &World, dice: &mut Dice, actor: UserId) {
        let Some(id) = dice.pick(&self.organizations) else { return };
        let invitation = invitation(u128::from(self.id().unsigned_abs()));
        let (subject, stream) = (Subject::Invitation(invitation), Organization::stream(id));
        let name = "organization.invitation_sent";
        let address = world.seal(subject, stream, name, "address", "zoe@example.com").await;
        self.invitations.push(invitation);
        let (role, nonce) = (Role::Viewer, LinkNonce::new(1));
        let (expires_at, at) = (at(9), at(self.next));
        let inviter = actor;
        let sent = InvitationSent { invitation, address, role, inviter, nonce, expires_at, at };
        world.by::<Organization>(actor, id, sent).await;
        if dice.below(2) == 0 {
            let user = UserId::new(self.id());
            world.person(user, &format!("Person{user}")).await;
            let accepted = InvitationAccepted { invitation, user, inviter };
            world.by::<Organization>(user, id, accepted).await;
            world.joins(id, user, role).await;
            self.people.push(user);
        }
    }

    /// A few keys of one environment in one append: new ones, changes, renamings.
    async fn set_values(&mut self, world: &World, dice: &mut Dice, actor: UserId) {
        let Some((environment, _)) = dice.pick(&self.environments) else { return };
        let mut events = Vec::new();
        for _ in 0..=dice.below(6) {
            let id = self.id();
            let key = format!("KEY_{id}");
            let known = self.variables.iter_mut().rfind(|known| known.1 == environment);
            match (dice.below(4), known) {
                (0, Some(known)) => {
                    let (from, to) = (known.3.clone(), VariableKey::parse(&key).unwrap());
                    known.3 = to.clone();
                    events.push(
                        VariableRenamed { variable: VariableId::new(known.0), from, to }.into(),
                    );
                }
                (1, Some(known)) => {
                    known.2 += 1;
                    events.push(world.changed(environment, known.0, known.2, &key).await);
                }
                _ => {
                    events.push(world.created(environment, id, &key, "value").await);
                    let key = VariableKey::parse(&key).unwrap();
                    self.variables.push((id, environment, 1, key));
                }
            }
        }
        let metadata = Metadata { actor: Some(actor), ..Metadata::default() };
        world.append(Environment::stream(environment), metadata, events).await;
    }

    /// Deletes a variable or, now and then, its whole environment.
    async fn forget(&mut self, world: &World, dice: &mut Dice, actor: UserId) {
        let Some((id, environment, _, key)) = self.variables.pop() else { return };
        if dice.below(4) > 0 {
            let deleted = VariableDeleted { variable: VariableId::new(id), key };
            world.by::<Environment>(actor, environment, deleted).await;
            return;
        }
        world.by::<Environment>(actor, environment, EnvironmentDeleted {}).await;
        self.variables.retain(|known| known.1 != environment);
        self.environments.retain(|known| known.0 != environment);
    }
}
