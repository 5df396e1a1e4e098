//! Organizations with members, a project and an environment full of variables.

use std::sync::Arc;

use keynest_cli::product::Product;
use keynest_commands::claims;
use keynest_commands::environment::value_context;
use keynest_crypto::{Context, SealingKey, Subject};
use keynest_domain::environment::{
    Environment, EnvironmentCreated, EnvironmentType, VariableChanged, VariableCreated,
};
use keynest_domain::organization::{MemberJoined, Organization, OrganizationCreated};
use keynest_domain::project::{Project, ProjectCreated};
use keynest_domain::{
    Aggregate, EnvironmentId, EnvironmentName, Event, OrganizationId, OrganizationName, ProjectId,
    Role, Sealed, StreamName, UserId, VariableId, VariableKey,
};
use keynest_store::{Expected, NewEvent, encode};

use super::Plan;
use super::people::{Parts, Person};
use super::workers::{self, Draft, Maker};

/// The domain's limit.
const MEMBERS_MAX: usize = 100;
/// Variables of one append.
const VARIABLES_AT_ONCE: usize = 500;

/// An organization.
#[derive(Clone)]
pub struct Team {
    pub admin: UserId,
    pub organization: OrganizationId,
    pub project: ProjectId,
    pub environment: EnvironmentId,
    pub variables: Vec<VariableId>,
}

struct Teams {
    parts: Parts,
    teams: usize,
    variables: usize,
    people: Arc<[UserId]>,
}

pub async fn seed(product: &Product, plan: &Plan, people: &[Person]) -> anyhow::Result<Vec<Team>> {
    let people = people.iter().map(|person| person.user).collect();
    let (teams, variables) = (plan.teams, plan.variables);
    workers::all(Teams { parts: product.into(), teams, variables, people }, teams).await
}

/// One more environment in a team's project.
pub async fn seed_big(product: &Product, plan: &Plan, team: &Team) -> anyhow::Result<Team> {
    let parts = Parts::from(product);
    let mut team = team.clone();
    let mut draft = Draft::new(&parts, Some(team.admin), Some(team.organization));
    let names = Names::of(&parts, team.organization).await?;
    team.environment = EnvironmentId::new(parts.clock.integer_id());
    let created = names.environment(&parts, &team, "big", &mut draft)?;
    draft.begin::<Environment>(team.environment, &[created]);
    draft.append(&parts.store).await?;
    let values = Values::of(&parts, team.environment).await?;
    team.variables.clear();
    while team.variables.len() < plan.big_variables {
        let count = VARIABLES_AT_ONCE.min(plan.big_variables - team.variables.len());
        let mut draft = Draft::new(&parts, Some(team.admin), Some(team.organization));
        let (made, events) = values.variables(&parts, &team, count, &mut draft)?;
        draft.add::<Environment>(team.environment, Expected::Any, &events);
        draft.append(&parts.store).await?;
        team.variables.extend(made);
    }
    let changes = plan.big_versions.saturating_sub(plan.big_variables);
    let mut done = 0;
    while done < changes {
        let until = changes.min(done + VARIABLES_AT_ONCE);
        let events: Result<Vec<Event>, _> =
            (done..until).map(|n| values.change(&team.variables, n)).collect();
        let mut draft = Draft::new(&parts, Some(team.admin), Some(team.organization));
        draft.add::<Environment>(team.environment, Expected::Any, &events?);
        draft.append(&parts.store).await?;
        done = until;
    }
    Ok(team)
}

/// So many creations of variables, in the environments of these teams in turns; not appended.
pub async fn creations(
    product: &Product,
    teams: &[Team],
    count: usize,
) -> anyhow::Result<Vec<(StreamName, NewEvent)>> {
    let parts = Parts::from(product);
    let mut all = Vec::with_capacity(count);
    for (place, team) in teams.iter().enumerate() {
        let values = Values::of(&parts, team.environment).await?;
        for n in (place..count).step_by(teams.len()) {
            let (variable, value) = values.fresh(&parts)?;
            let key = VariableKey::parse(&format!("KEY_{variable}"))?;
            let created = VariableCreated { variable, key, value, creator: team.admin };
            let stream = Environment::stream(team.environment);
            all.push((n, (stream, encode(&created.into()))));
        }
    }
    all.sort_unstable_by_key(|(n, _)| *n);
    Ok(all.into_iter().map(|(_, it)| it).collect())
}

impl Maker for Teams {
    type Made = Team;

    async fn make(&self, n: usize) -> anyhow::Result<Team> {
        let (parts, clock) = (&self.parts, &self.parts.clock);
        let mut team = Team {
            admin: self.people[n],
            organization: OrganizationId::new(clock.integer_id()),
            project: ProjectId::new(clock.integer_id()),
            environment: EnvironmentId::new(clock.integer_id()),
            variables: Vec::new(),
        };
        let names = Names::of(parts, team.organization).await?;
        let values = Values::of(parts, team.environment).await?;
        let mut draft = Draft::new(parts, Some(team.admin), Some(team.organization));
        let founding = self.founding(n, &team, &names, &mut draft)?;
        draft.begin::<Organization>(team.organization, &founding);
        draft.begin::<Project>(team.project, &[names.project(&team)?]);
        let mut events = vec![names.environment(parts, &team, "production", &mut draft)?];
        let (made, created) = values.variables(parts, &team, self.variables, &mut draft)?;
        events.extend(created);
        draft.begin::<Environment>(team.environment, &events);
        draft.append(&parts.store).await?;
        team.variables = made;
        Ok(team)
    }
}

impl Teams {
    /// An organization with its share of the people: the first is its admin, the others come in turns.
    fn founding(
        &self,
        n: usize,
        team: &Team,
        names: &Names,
        draft: &mut Draft,
    ) -> anyhow::Result<Vec<Event>> {
        let (organization, creator) = (team.organization, team.admin);
        let stream = Organization::stream(organization);
        let text = format!("Organization {n}");
        let name = names
            .seal(Context::new(names.subject, stream, "organization.created", "name"), &text)?;
        let claim = OrganizationName::parse(&text)?;
        let claim = claims::organization_name(&self.parts.keyring, creator, &claim);
        draft.claim::<Organization>(claim, organization);
        let is_personal = false;
        let created =
            OrganizationCreated { organization, name, description: None, creator, is_personal };
        let share = self.people.iter().skip(n).step_by(self.teams.max(1)).take(MEMBERS_MAX);
        let roles = [Role::Admin, Role::Editor, Role::Viewer];
        let joined = share.enumerate().map(|(place, user)| {
            let role = if place == 0 { Role::Admin } else { roles[1 + place % 2] };
            MemberJoined { user: *user, role, at: self.parts.clock.now() }.into()
        });
        Ok([created.into()].into_iter().chain(joined).collect())
    }
}

/// Seals names under an organization's key.
struct Names {
    subject: Subject,
    key: SealingKey,
}

impl Names {
    async fn of(parts: &Parts, organization: OrganizationId) -> anyhow::Result<Self> {
        let subject = Subject::Organization(organization);
        Ok(Self { subject, key: parts.keyring.sealing_key(subject).await? })
    }

    fn seal(&self, context: Context, text: &str) -> anyhow::Result<Sealed> {
        Ok(self.key.seal(&context, text.as_bytes())?)
    }

    fn project(&self, team: &Team) -> anyhow::Result<Event> {
        let stream = Project::stream(team.project);
        let name =
            self.seal(Context::new(self.subject, stream, "project.created", "name"), "shop")?;
        Ok(ProjectCreated {
            project: team.project,
            organization: team.organization,
            name,
            description: None,
            creator: team.admin,
        }
        .into())
    }

    fn environment(
        &self,
        parts: &Parts,
        team: &Team,
        name: &str,
        draft: &mut Draft,
    ) -> anyhow::Result<Event> {
        let stream = Environment::stream(team.environment);
        let claim = EnvironmentName::parse(name)?;
        let claim = claims::environment_name(&parts.keyring, team.project, &claim);
        draft.claim::<Environment>(claim, team.environment);
        let context = Context::new(self.subject, stream, "environment.created", "name");
        Ok(EnvironmentCreated {
            environment: team.environment,
            project: team.project,
            organization: team.organization,
            name: self.seal(context, name)?,
            environment_type: EnvironmentType::Production,
            description: None,
            creator: team.admin,
        }
        .into())
    }
}

/// Seals values under an environment's key.
struct Values {
    environment: EnvironmentId,
    key: SealingKey,
}

impl Values {
    async fn of(parts: &Parts, environment: EnvironmentId) -> anyhow::Result<Self> {
        let subject = Subject::Environment(environment);
        Ok(Self { environment, key: parts.keyring.sealing_key(subject).await? })
    }

    fn value(&self, variable: VariableId, version: u32) -> anyhow::Result<Sealed> {
        let context = value_context(self.environment, variable, version);
        let text = format!("postgres://user:secret-{variable}@db.example.com/{version}");
        Ok(self.key.seal(&context, text.as_bytes())?)
    }

    /// A variable's first value.
    fn fresh(&self, parts: &Parts) -> anyhow::Result<(VariableId, Sealed)> {
        let variable = VariableId::new(parts.clock.integer_id());
        Ok((variable, self.value(variable, 1)?))
    }

    /// So many more variables, and their creations.
    fn variables(
        &self,
        parts: &Parts,
        team: &Team,
        count: usize,
        draft: &mut Draft,
    ) -> anyhow::Result<(Vec<VariableId>, Vec<Event>)> {
        let (mut made, mut events) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for n in team.variables.len()..team.variables.len() + count {
            let (variable, value) = self.fresh(parts)?;
            let key = VariableKey::parse(&format!("VARIABLE_{n:04}"))?;
            draft.claim::<Environment>(claims::variable(variable), self.environment);
            events.push(VariableCreated { variable, key, value, creator: team.admin }.into());
            made.push(variable);
        }
        Ok((made, events))
    }

    /// The nth change of all variables in turns.
    fn change(&self, variables: &[VariableId], n: usize) -> anyhow::Result<Event> {
        let variable = variables[n % variables.len()];
        let version = u32::try_from(n / variables.len() + 2)?;
        Ok(VariableChanged { variable, value: self.value(variable, version)?, version }.into())
    }
}
