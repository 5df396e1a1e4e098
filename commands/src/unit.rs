//! One try of a use case: what it read, what it wants to write. Everything read and not written becomes a check.

use std::any::Any;
use std::sync::Arc;

use keynest_crypto::{Context, Subject};
use keynest_domain::{
    Aggregate, Event, OrganizationId, Place, Sealed, StreamName, Timestamp, UserId, authorize,
    authorize_scoped,
};
use keynest_domain::{Permission, Role, organization::Organization};
use keynest_store::{
    Append, ClaimKey, Expected, Metadata, Recorded, Revision, StreamAppend, decode, encode,
};

use crate::cache::Folded;
use crate::{CommandError, Commands, Origin};

/// One try of one use case.
pub struct Unit<'a> {
    commands: &'a Commands,
    origin: &'a Origin,
    is_fresh: bool,
    /// In the order of the first touch, which is the order of the append. A handful at most.
    streams: Vec<(StreamName, Touched)>,
    claims: Vec<(ClaimKey, StreamName)>,
    releases: Vec<ClaimKey>,
    organization: Option<OrganizationId>,
    /// Whether the one authorisation function has let the actor in.
    is_authorized: bool,
}

struct Touched {
    read: Option<Revision>,
    state: Arc<dyn Any + Send + Sync>,
    staged: Vec<Event>,
    is_from_cache: bool,
}

impl Touched {
    fn absent<A: Aggregate>(read: Option<Revision>) -> Self {
        Self { read, state: Arc::new(A::default()), staged: Vec::new(), is_from_cache: false }
    }
}

impl<'a> Unit<'a> {
    pub(crate) fn new(commands: &'a Commands, origin: &'a Origin, is_fresh: bool) -> Self {
        Self {
            commands,
            origin,
            is_fresh,
            streams: Vec::new(),
            claims: Vec::new(),
            releases: Vec::new(),
            organization: origin.organization,
            is_authorized: false,
        }
    }

    /// The time of this try.
    pub fn now(&self) -> Timestamp {
        self.commands.clock().now()
    }

    /// The write side that this try belongs to.
    pub fn commands(&self) -> &'a Commands {
        self.commands
    }

    /// Where the command comes from.
    pub fn origin(&self) -> &'a Origin {
        self.origin
    }

    /// The state of one aggregate, its default if there is no stream. What is read here and not written is checked.
    pub async fn load<A: Aggregate>(&mut self, id: A::Id) -> Result<Arc<A>, CommandError> {
        self.load_as::<A>(id, self.is_fresh).await
    }

    /// The same, with a look at the stream also where its state is kept: what is kept differs between somebody and
    /// nobody, and the number of statements must not tell the two apart (D27).
    pub async fn load_anew<A: Aggregate>(&mut self, id: A::Id) -> Result<Arc<A>, CommandError> {
        self.load_as::<A>(id, true).await
    }

    async fn load_as<A: Aggregate>(
        &mut self,
        id: A::Id,
        is_fresh: bool,
    ) -> Result<Arc<A>, CommandError> {
        let stream = A::stream(id);
        if let Some((_, touched)) = self.streams.iter().find(|(known, _)| *known == stream) {
            return Ok(downcast(&touched.state));
        }
        let cached = self.commands.states().get(&stream);
        let is_from_cache = cached.is_some() && !is_fresh;
        let folded = match cached {
            Some(folded) if is_from_cache => folded,
            cached => self.fold::<A>(&stream, cached).await?,
        };
        let state = downcast(&folded.state);
        let touched = Touched {
            read: Some(folded.revision),
            state: folded.state,
            staged: Vec::new(),
            is_from_cache,
        };
        self.streams.push((stream, touched));
        Ok(state)
    }

    /// Stages events of an aggregate that was loaded, and folds them, so that a later load sees them.
    pub fn stage<A: Aggregate>(&mut self, id: A::Id, events: Vec<A::Event>) {
        let touched = self.touch(A::stream(id), || Touched::absent::<A>(Some(Revision::NONE)));
        let mut state = A::clone(&downcast::<A>(&touched.state));
        for event in events {
            state = state.evolve(&event);
            touched.staged.push(event.into());
        }
        touched.state = Arc::new(state);
    }

    /// Stages an event of a stream that no rule reads: whatever its revision is.
    pub fn stage_any<A: Aggregate>(&mut self, id: A::Id, event: A::Event) {
        let touched = self.touch(A::stream(id), || Touched::absent::<A>(None));
        touched.staged.push(event.into());
    }

    /// Checks that a stream is at the revision that somebody else read, such as a query.
    pub fn check(&mut self, stream: StreamName, revision: Revision) {
        self.touch(stream, || Touched {
            read: Some(revision),
            state: Arc::new(()),
            staged: Vec::new(),
            is_from_cache: false,
        });
    }

    /// Takes a name for a stream; the append conflicts while another holds it.
    pub fn claim(&mut self, key: ClaimKey, stream: StreamName) {
        self.claims.push((key, stream));
    }

    /// Gives a name back.
    pub fn release(&mut self, key: ClaimKey) {
        self.releases.push(key);
    }

    /// Who holds a name.
    pub async fn resolve(&self, key: &ClaimKey) -> Result<Option<StreamName>, CommandError> {
        Ok(self.commands.store().resolve(key).await?.map(|(stream, _)| stream))
    }

    /// Files the append under an organization in the audit log.
    pub fn file_under(&mut self, organization: OrganizationId) {
        self.organization = Some(organization);
    }

    /// The signed-in actor; every use case behind a sign-in has one.
    pub fn actor(&self) -> Result<UserId, CommandError> {
        self.origin.actor.ok_or(CommandError::Absent("actor"))
    }

    /// Loads the organization, files the append under it and authorises the actor at a place in it: by the role, by
    /// the client address where the organization has rules for it and, for whoever comes with a token, by its scope.
    pub async fn authorize(
        &mut self,
        place: impl Into<Place>,
        permission: Permission,
    ) -> Result<Role, CommandError> {
        let place = place.into();
        let organization = place.organization;
        let actor = self.actor()?;
        let state = self.load::<Organization>(organization).await?;
        if state.id.is_none() || state.is_deleted {
            return Err(CommandError::Absent("organization"));
        }
        self.file_under(organization);
        let role = state.role_of(actor);
        if role.is_some() {
            let seconds = |seconds| CommandError::Throttled { organization, seconds };
            self.origin.visit.enter(organization).map_err(seconds)?;
            self.require_address(organization, &state).await?;
        }
        let allowed = match &self.origin.token {
            None => authorize(role, permission),
            Some(token) => authorize_scoped(role, &token.scope, place, permission),
        };
        let role = allowed.map_err(|why| CommandError::Denied { organization, why })?;
        self.require_policy(organization, state.policy).await?;
        self.is_authorized = true;
        Ok(role)
    }

    /// Whether this try may be appended: a token counts only where the authorisation function has seen it.
    pub(crate) fn require_authorized(&self) -> Result<(), CommandError> {
        if self.origin.token.is_none() || self.is_authorized {
            Ok(())
        } else {
            Err(CommandError::NotForTokens)
        }
    }

    /// Seals a field of an event of one aggregate under a subject's key.
    pub async fn seal<A: Aggregate>(
        &self,
        subject: Subject,
        id: A::Id,
        event: &'static str,
        field: &'static str,
        text: &str,
    ) -> Result<Sealed, CommandError> {
        let context =
            Context { subject, stream: A::stream(id), event: event.into(), field: field.into() };
        Ok(self.commands.keyring().seal(&context, text.as_bytes()).await?)
    }

    fn touch(&mut self, stream: StreamName, first: impl FnOnce() -> Touched) -> &mut Touched {
        let known = self.streams.iter().position(|(known, _)| *known == stream);
        let at = known.unwrap_or_else(|| {
            self.streams.push((stream, first()));
            self.streams.len() - 1
        });
        &mut self.streams[at].1
    }

    pub(crate) fn has_cached_reads(&self) -> bool {
        self.streams.iter().map(|(_, touched)| touched).any(|touched| touched.is_from_cache)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.releases.is_empty()
            && self
                .streams
                .iter()
                .map(|(_, touched)| touched)
                .all(|touched| touched.staged.is_empty())
    }

    /// The events that this try wants to append, in the order of the append.
    /// The streams that are written to at a revision.
    pub(crate) fn written(&self) -> impl Iterator<Item = &StreamName> {
        let written = |touched: &Touched| touched.read.is_some() && !touched.staged.is_empty();
        self.streams.iter().filter(move |(_, touched)| written(touched)).map(|(stream, _)| stream)
    }

    pub(crate) fn staged(&self) -> impl Iterator<Item = &Event> {
        self.streams.iter().map(|(_, touched)| touched).flat_map(|touched| &touched.staged)
    }

    pub(crate) async fn to_append(
        &self,
        command_id: keynest_domain::CommandId,
    ) -> Result<Append, CommandError> {
        let mut append = Append {
            command_id,
            streams: Vec::new(),
            checks: Vec::new(),
            claims: self.claims.clone(),
            releases: self.releases.clone(),
            metadata: self.metadata().await?,
        };
        for (stream, touched) in &self.streams {
            match (touched.staged.is_empty(), touched.read) {
                (true, Some(revision)) => append.checks.push((stream.clone(), revision)),
                (true, None) => {}
                (false, read) => append.streams.push(StreamAppend {
                    stream: stream.clone(),
                    expected: read.map_or(Expected::Any, Expected::Exact),
                    events: touched.staged.iter().map(encode).collect(),
                }),
            }
        }
        Ok(append)
    }

    /// After the append: keeps the new states for the next command.
    pub(crate) fn remember(self) {
        for (stream, touched) in self.streams {
            let (Some(read), false) = (touched.read, touched.state.is::<()>()) else { continue };
            let staged = u32::try_from(touched.staged.len()).unwrap_or(u32::MAX);
            let folded = Folded { revision: read.plus(staged), state: touched.state };
            self.commands.states().put(stream, folded);
        }
    }

    /// After a conflict or a failure: what was kept of these streams may be stale.
    pub(crate) fn forget(&self) {
        for (stream, _) in &self.streams {
            self.commands.states().forget(stream);
        }
    }

    async fn metadata(&self) -> Result<Metadata, CommandError> {
        let origin = self.origin;
        let client = match &origin.client {
            None => None,
            Some(client) => Some(self.commands.seal_client(origin, client).await?),
        };
        Ok(Metadata {
            actor: origin.actor,
            organization: self.organization,
            session: origin.session,
            request: Some(origin.request),
            causation: origin.causation,
            correlation: Some(origin.correlation),
            client,
        })
    }

    async fn fold<A: Aggregate>(
        &self,
        stream: &StreamName,
        cached: Option<Folded>,
    ) -> Result<Folded, CommandError> {
        let (mut revision, mut state) = match cached {
            Some(folded) => (folded.revision, A::clone(&downcast::<A>(&folded.state))),
            None => (Revision::NONE, A::default()),
        };
        for recorded in self.commands.store().read_stream(stream, revision).await? {
            revision = recorded.revision;
            state = state.evolve(&decoded::<A>(&recorded)?);
        }
        let folded = Folded { revision, state: Arc::new(state) };
        self.commands.states().put(stream.clone(), folded.clone());
        Ok(folded)
    }
}

pub(crate) fn decode_any(recorded: &Recorded) -> Result<Event, CommandError> {
    decode(recorded).map_err(|error| match error {
        keynest_store::DecodeError::Unknown { .. } => {
            CommandError::NewerThanThisBinary(error.to_string())
        }
        keynest_store::DecodeError::Malformed { .. } => CommandError::Damaged(error.to_string()),
    })
}

pub(crate) fn decoded<A: Aggregate>(recorded: &Recorded) -> Result<A::Event, CommandError> {
    let event = decode_any(recorded)?;
    A::Event::try_from(event).map_err(|_| CommandError::Damaged(recorded.stream.to_string()))
}

/// A stream's category names its aggregate, so its state has that type.
fn downcast<A: Aggregate>(state: &Arc<dyn Any + Send + Sync>) -> Arc<A> {
    Arc::clone(state).downcast().expect("a stream has one aggregate, so its state has one type")
}
