//! Forget a person: one append wipes the account, leaves its teams, releases its names and says which keys are destroyed.

use keynest_crypto::{Context, Subject};
use keynest_domain::organization::{
    self, Organization, OrganizationDeleted, Rejection, leave, revoke_invitation,
};
use keynest_domain::user::{Standing, User, erase};
use keynest_domain::{
    Aggregate, Email, EnvironmentId, Event, InvitationId, OrganizationId, Sealed, UserId,
};

use super::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// Teams, invitations and environments that one erasure deals with, of each kind: they are one append.
pub const FOOTPRINT_MAX: usize = 200;

/// Names that one append of an erasure gives back.
pub const RELEASED_MAX: usize = 1_000;

/// Where a person is known, as the read models tell it; every rule is checked again on the write side.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// Teams that the person is a member of.
    pub organizations: Vec<OrganizationId>,
    /// Invitations to the person's address, answered or not.
    pub invitations: Vec<(OrganizationId, InvitationId)>,
    /// Environments of the teams that the person is alone in.
    pub environments: Vec<EnvironmentId>,
}

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EraseUser {
    pub user: UserId,
    pub footprint: Footprint,
}

enum Erase {
    /// By the person: asks for a fresh authentication.
    Own(EraseUser),
    /// By the operator of the instance.
    Other(EraseUser),
    /// It was done before, and a restored backup undid it: no mail, and no team is in the way.
    Again(UserId),
}

impl Commands {
    /// Erases the caller's own account.
    pub async fn erase_own_account(
        &self,
        origin: &Origin,
        wish: EraseUser,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(&origin.once(), &Erase::Own(wish)).await
    }

    /// Erases an account for its owner, who asked the operator.
    pub async fn erase_user(
        &self,
        origin: &Origin,
        wish: EraseUser,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Erase::Other(wish)).await
    }

    /// Erases an account that a restored backup brought back; one that the backup never knew stays unknown.
    pub async fn erase_again(&self, origin: &Origin, user: UserId) -> Result<(), CommandError> {
        if self.read::<User>(user).await?.standing == Standing::Absent {
            return Ok(());
        }
        self.execute(origin, &Erase::Again(user)).await.map(drop)
    }

    /// The account of an address.
    pub async fn account_id(&self, address: &Email) -> Result<Option<UserId>, CommandError> {
        let owner = self.store().resolve(&claims::email(self.keyring(), address)).await?;
        owner.map(|(stream, _)| owner_of(&stream)).transpose()
    }

    /// Takes an erased person out of a team that was joined while the account was erased; for the janitor.
    pub async fn remove_erased(
        &self,
        origin: &Origin,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Remove { organization, user }).await
    }
}

impl UseCase for Erase {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.user();
        let user = unit.load::<User>(id).await?;
        if let Self::Own(_) = self {
            user.require_active()?;
            unit.require_fresh_sign_in().await?;
        }
        if user.standing == Standing::Erased {
            return Ok(());
        }
        let footprint = self.footprint()?;
        unit.release_everything_of(id).await?;
        unit.leave_all(id, footprint).await?;
        for &(organization, invitation) in &footprint.invitations {
            unit.revoke_if_pending(organization, invitation).await?;
            unit.destroy_key(Subject::Invitation(invitation)).await?;
        }
        unit.destroy_key(Subject::User(id)).await?;
        let farewell = match self {
            Self::Own(_) | Self::Other(_) => Some(unit.seal_farewell(id, &user).await?),
            Self::Again(_) => None,
        };
        let wish = erase::Erase { farewell, at: unit.now() };
        unit.stage::<User>(id, erase::decide(&user, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl Erase {
    fn user(&self) -> UserId {
        match self {
            Self::Own(wish) | Self::Other(wish) => wish.user,
            Self::Again(user) => *user,
        }
    }

    fn footprint(&self) -> Result<&Footprint, CommandError> {
        const NONE: &Footprint = &Footprint {
            organizations: Vec::new(),
            invitations: Vec::new(),
            environments: Vec::new(),
        };
        match self {
            Self::Own(wish) | Self::Other(wish) => {
                let it = &wish.footprint;
                let counts = [it.organizations.len(), it.invitations.len(), it.environments.len()];
                let is_small = counts.into_iter().all(|count| count <= FOOTPRINT_MAX);
                if is_small { Ok(it) } else { Err(CommandError::FootprintTooLarge) }
            }
            Self::Again(_) => Ok(NONE),
        }
    }
}

impl Unit<'_> {
    /// Frees whatever this account holds: address, username, identities, passkeys, tokens' numbers, and the networks
    /// that it was used from, which its sessions hold. Asked of the store, so that nothing can be overlooked. What is
    /// past the limit, and a network that somebody signed in from in this very moment, goes with the key of the last mail.
    pub(crate) async fn release_everything_of(&mut self, id: UserId) -> Result<(), CommandError> {
        let store = self.commands().store();
        let networks = store.claims_under(&claims::devices(id), RELEASED_MAX).await?;
        let held = store.claims_of(&User::stream(id)).await?;
        let (numbers, names): (Vec<_>, Vec<_>) = held.into_iter().partition(claims::is_of_token);
        for key in names.into_iter().chain(networks).chain(numbers).take(RELEASED_MAX) {
            self.release(key);
        }
        Ok(())
    }

    /// Leaves every team; those with nobody else in them end, with their names and values. All that need somebody
    /// else as admin first are named at once.
    async fn leave_all(&mut self, user: UserId, known: &Footprint) -> Result<(), CommandError> {
        let mut needing = Vec::new();
        let mut has_ended = false;
        for &id in &known.organizations {
            match self.leave(id, user).await {
                Ok(is_over) => has_ended |= is_over,
                Err(CommandError::Organization(Rejection::LastAdmin)) => needing.push(id),
                Err(error) => return Err(error),
            }
        }
        if !needing.is_empty() {
            return Err(CommandError::LastAdminOf(needing));
        }
        if has_ended {
            for &environment in &known.environments {
                self.destroy_key(Subject::Environment(environment)).await?;
            }
        }
        Ok(())
    }

    /// Leaves one team; says whether that ended it.
    async fn leave(&mut self, id: OrganizationId, user: UserId) -> Result<bool, CommandError> {
        let state = self.load::<Organization>(id).await?;
        let events = leave::decide(&state, user)?;
        let gone = organization::Event::from(OrganizationDeleted {});
        let is_over = events.contains(&gone);
        if is_over {
            self.release_organization_name(id, &state).await?;
            self.destroy_key(Subject::Organization(id)).await?;
        }
        if !events.is_empty() {
            self.stage::<Organization>(id, events);
        }
        Ok(is_over)
    }

    /// An invitation to somebody who is not there any more.
    async fn revoke_if_pending(
        &mut self,
        id: OrganizationId,
        invitation: InvitationId,
    ) -> Result<(), CommandError> {
        let state = self.load::<Organization>(id).await?;
        if !state.pending.contains_key(&invitation) {
            return Ok(());
        }
        let events = revoke_invitation::decide(&state, invitation)?;
        self.release_ended(id, &state, &events).await?;
        self.stage::<Organization>(id, events);
        Ok(())
    }

    async fn seal_farewell(&self, id: UserId, user: &User) -> Result<Sealed, CommandError> {
        let address = self.commands().open_user_email(id, user).await?;
        let context = farewell_context(id);
        Ok(self.commands().keyring().seal(&context, address.as_str().as_bytes()).await?)
    }
}

/// Where the address for the last mail may be opened.
pub fn farewell_context(user: UserId) -> Context {
    Context::new(Subject::Farewell(user), User::stream(user), "user.erased", "farewell")
}

struct Remove {
    organization: OrganizationId,
    user: UserId,
}

impl UseCase for Remove {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        if unit.load::<User>(self.user).await?.standing != Standing::Erased {
            return Ok(());
        }
        unit.file_under(self.organization);
        unit.leave(self.organization, self.user).await.map(drop)
    }

    fn outcome(&self, _: &[Event]) {}
}
