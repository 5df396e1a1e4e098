//! Names and addresses for mails, opened from the aggregates themselves: no read model can be behind.

use std::sync::Arc;

use keynest_commands::{Client, CommandError};
use keynest_crypto::{Context, Subject};
use keynest_domain::organization::{self, Organization};
use keynest_domain::user::{Standing, User};
use keynest_domain::{Aggregate, OrganizationId, Sealed, StreamName, UserId};
use keynest_store::{Recorded, Revision};

use crate::letter::Recipient;
use crate::mailer::Mailer;
use crate::reactor::{Delivery, WorkError};

const SECONDS_A_DAY: i64 = 86_400;

/// Somebody with an account.
pub(crate) struct Person {
    pub recipient: Recipient,
    pub username: String,
    pub is_active: bool,
    pub refuses_notices: bool,
    pub state: Arc<User>,
}

impl Person {
    /// First and last name, else the username.
    pub fn name(&self) -> &str {
        &self.recipient.name
    }
}

impl Mailer {
    /// A person; `None` after erasure.
    pub(crate) async fn person(&self, user: UserId) -> Result<Option<Person>, WorkError> {
        let state = self.commands.read::<User>(user).await.map_err(later)?;
        let subject = Subject::User(user);
        let stream = User::stream(user);
        let names_by = state.names_sealed_by;
        let address = self
            .opened(subject, &stream, state.email_sealed_by, "email", state.email.as_ref())
            .await?;
        let username = self
            .opened(subject, &stream, Some("user.registered"), "username", state.username.as_ref())
            .await?;
        let first = self
            .opened(subject, &stream, names_by, "first_name", state.first_name.as_ref())
            .await?;
        let last =
            self.opened(subject, &stream, names_by, "last_name", state.last_name.as_ref()).await?;
        let (Some(address), Some(username)) = (address, username) else { return Ok(None) };
        let full = format!("{} {}", first.unwrap_or_default(), last.unwrap_or_default());
        let name = if full.trim().is_empty() { username.clone() } else { full.trim().to_owned() };
        Ok(Some(Person {
            recipient: Recipient { user: Some(user), address, name },
            username,
            is_active: state.standing == Standing::Active,
            refuses_notices: state.refuses_notices,
            state,
        }))
    }

    /// How somebody is called in other people's mails.
    pub(crate) async fn name_of(&self, user: Option<UserId>) -> Result<String, WorkError> {
        let person = match user {
            Some(user) => self.person(user).await?,
            None => None,
        };
        Ok(person.map_or_else(|| "Somebody".to_owned(), |person| person.name().to_owned()))
    }

    /// How whoever caused an event is called in other people's mails: a person, or a service of the organization.
    pub(crate) async fn actor_name(&self, delivery: &Delivery) -> Result<String, WorkError> {
        let metadata = &delivery.recorded.metadata;
        if let (Some(actor), Some(organization)) = (metadata.actor, metadata.organization)
            && let Some(name) = self.service_name(organization, actor).await?
        {
            return Ok(name);
        }
        self.name_of(metadata.actor).await
    }

    /// The name of a token or a rule that acts under its own number, ended ones too; `None` for people.
    async fn service_name(
        &self,
        organization: OrganizationId,
        actor: UserId,
    ) -> Result<Option<String>, WorkError> {
        if self.commands.read::<User>(actor).await.map_err(later)?.id.is_some() {
            return Ok(None);
        }
        let stream = Organization::stream(organization);
        let past = self.commands.history::<Organization>(&stream, Revision::new(u32::MAX));
        let past = past.await.map_err(later)?;
        let made = past.iter().rev().find_map(|event| service(event, actor));
        let Some((name, event, suffix)) = made else { return Ok(None) };
        let subject = Subject::Organization(organization);
        let name = self.opened(subject, &stream, Some(event), "name", Some(name)).await?;
        Ok(name.map(|name| format!("{name} ({suffix})")))
    }

    /// The members who take notices, but not the one who did it. Where a second factor is required, those without one are
    /// told nothing of what they may not see.
    pub(crate) async fn others(
        &self,
        organization: &Organization,
        actor: Option<UserId>,
    ) -> Result<Vec<Recipient>, WorkError> {
        let mut recipients = Vec::new();
        for user in organization.members.keys().copied().filter(|user| Some(*user) != actor) {
            let may_know = |person: &Person| {
                !organization.policy.require_second_factor || person.state.factors.is_on()
            };
            let person = self.person(user).await?;
            let person = person.filter(|person| self.takes_notices(person) && may_know(person));
            recipients.extend(person.map(|person| person.recipient));
        }
        Ok(recipients)
    }

    /// Whether to tell somebody what others do; mails about the person's own account ask nobody.
    pub(crate) fn takes_notices(&self, person: &Person) -> bool {
        self.settings.has_notices && person.is_active && !person.refuses_notices
    }

    /// An organization that still exists, with its name.
    pub(crate) async fn organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<(Arc<Organization>, String)>, WorkError> {
        let state = self.commands.read::<Organization>(id).await.map_err(later)?;
        if state.is_deleted {
            return Ok(None);
        }
        let stream = Organization::stream(id);
        let name = self
            .opened(
                Subject::Organization(id),
                &stream,
                state.sealed_by,
                "name",
                state.name.as_ref(),
            )
            .await?;
        Ok(name.map(|name| (state, name)))
    }

    /// A sealed text; `None` when it is absent or its key was destroyed.
    pub(crate) async fn opened(
        &self,
        subject: Subject,
        stream: &StreamName,
        event: Option<&'static str>,
        field: &'static str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<String>, WorkError> {
        let (Some(event), Some(sealed)) = (event, sealed) else { return Ok(None) };
        let context = Context::new(subject, stream.clone(), event, field);
        let text = self.commands.keyring().open_text(&context, sealed).await;
        let text = text.map_err(|error| WorkError::Retry(error.to_string()))?;
        Ok(text.map(|text| text.to_string()))
    }

    /// The client's address, for mails about security.
    pub(crate) async fn place(&self, delivery: &Delivery) -> Option<String> {
        self.client(delivery).await?.address.map(|address| address.to_string())
    }

    /// Address and agent of the client.
    pub(crate) async fn client(&self, delivery: &Delivery) -> Option<Client> {
        let metadata = &delivery.recorded.metadata;
        let (sealed, request) = (metadata.client.as_ref()?, metadata.request?);
        let day = u32::try_from(delivery.recorded.recorded_at.seconds() / SECONDS_A_DAY).ok()?;
        // A request may be of the day before its recording.
        let subjects = match metadata.actor {
            Some(actor) => vec![Subject::User(actor)],
            None => {
                [Some(day), day.checked_sub(1)].into_iter().flatten().map(Subject::Day).collect()
            }
        };
        for subject in subjects {
            let stream = StreamName::new("client", "request");
            let context = Context::new(subject, stream, "metadata", request.to_string());
            if let Ok(Some(bytes)) = self.commands.keyring().open(&context, sealed).await {
                return serde_json::from_slice(&bytes).ok();
            }
        }
        None
    }

    /// The aggregate as it was before an event.
    pub(crate) async fn before<A: Aggregate>(&self, recorded: &Recorded) -> Result<A, WorkError> {
        let history =
            self.commands.history::<A>(&recorded.stream, recorded.revision).await.map_err(later)?;
        Ok(history.iter().fold(A::default(), A::evolve))
    }
}

/// The sealed name of the service with this number, if the event made it; by which event; and what it comes with.
fn service(
    event: &organization::Event,
    actor: UserId,
) -> Option<(&Sealed, &'static str, &'static str)> {
    if let organization::Event::ServiceTokenCreated(it) = event {
        let is_it = it.token.get() == actor.get();
        return is_it.then_some((&it.name, event.name(), "service token"));
    }
    if let organization::Event::TrustCreated(it) = event {
        let is_it = it.trust.get() == actor.get();
        return is_it.then_some((&it.name, event.name(), "exchanged token"));
    }
    None
}

/// A read that failed may work later; the text of the error names no person.
pub(crate) fn later(error: CommandError) -> WorkError {
    WorkError::Retry(error.to_string())
}

/// The id behind a stream's name.
pub(crate) fn id_of<T: std::str::FromStr>(recorded: &Recorded) -> Result<T, WorkError> {
    recorded
        .stream
        .id()
        .parse()
        .map_err(|_| WorkError::GiveUp("the stream's name holds no id".to_owned()))
}
