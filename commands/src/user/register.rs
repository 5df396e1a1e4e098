//! Ask for an account and the personal organization that comes with it. The address's owner alone learns whether there
//! is an account already (CONTRACT R5, DESIGN 12).

use keynest_crypto::{Password, Subject, random};
use keynest_domain::organization::{Organization, create_organization};
use keynest_domain::user::repeat_registration::{self, RepeatRegistration};
use keynest_domain::user::{User, register};
use keynest_domain::{
    Aggregate, Email, Event, Invalid, OrganizationId, OrganizationName, PersonName, Sealed,
    StreamName, Timestamp, UserId, Username,
};

use crate::login::NOBODY;
use crate::sealed_names::Names;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

const EVENT: &str = "user.registered";
const DESCRIPTION: &str = "Personal workspace";

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Register {
    pub username: Username,
    pub email: Email,
    pub password: Password,
    pub first_name: PersonName,
    pub last_name: PersonName,
}

struct Hashed {
    wish: Register,
    hash: String,
}

impl Commands {
    /// Registers, or tells the owner of the address by mail. The caller cannot tell which.
    pub async fn register(
        &self,
        origin: &Origin,
        wish: Register,
    ) -> Result<Executed<()>, CommandError> {
        let words = [wish.username.as_str(), wish.email.as_str()];
        self.refuse_guessable("password", &wish.password, &words)?;
        let hash = self.hasher().hash(&wish.password).await?;
        self.execute(origin, &Hashed { wish, hash }).await
    }
}

impl UseCase for Hashed {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let keyring = unit.commands().keyring();
        let email = claims::email(keyring, &self.wish.email);
        let username = claims::username(keyring, &self.wish.username);
        // The username first: what it says must not depend on the address.
        let namesake = unit.resolve(&username).await?;
        let owner = unit.resolve(&email).await?;
        if namesake.is_some() {
            let why = Invalid::new("taken", "A user with that username already exists.");
            return Err(CommandError::Field { field: "username", why });
        }
        // Ids, keys and seals are made in any case, so that they cost the same.
        let at = unit.now();
        let user = UserId::new(unit.commands().clock().integer_id());
        let account = self.sealed(unit, user, at).await?;
        let first = self.wish.first_name.as_str();
        let called = if first.is_empty() { self.wish.username.as_str() } else { first };
        let personal = Personal::new(unit, user, called, at).await?;
        if let Some(owner) = owner {
            return self.tell_owner(unit, owner_of(&owner)?, at).await;
        }
        unit.load_anew::<User>(NOBODY).await?;
        unit.mail_quotas().await?;
        unit.stage::<User>(user, register::decide(&User::default(), account)?);
        unit.claim(email, User::stream(user));
        unit.claim(username, User::stream(user));
        personal.stage(unit, user)
    }

    fn outcome(&self, _: &[Event]) {}
}

/// The account that holds a claim.
pub(crate) fn owner_of(stream: &StreamName) -> Result<UserId, CommandError> {
    stream.id().parse().map_err(|_| CommandError::Damaged(stream.to_string()))
}

impl Hashed {
    async fn sealed(
        &self,
        unit: &Unit<'_>,
        user: UserId,
        at: Timestamp,
    ) -> Result<register::Register, CommandError> {
        let wish = &self.wish;
        Ok(register::Register {
            user,
            username: seal(unit, user, "username", wish.username.as_str()).await?,
            email: seal(unit, user, "email", wish.email.as_str()).await?,
            first_name: seal(unit, user, "first_name", wish.first_name.as_str()).await?,
            last_name: seal(unit, user, "last_name", wish.last_name.as_str()).await?,
            password: seal(unit, user, "password", &self.hash).await?,
            nonce: random::link_nonce(),
            lifetime: unit.commands().settings().links.activation,
            at,
        })
    }

    /// The caller of a repeated registration hears the same; the address's owner gets a mail.
    async fn tell_owner(
        &self,
        unit: &mut Unit<'_>,
        owner: UserId,
        at: Timestamp,
    ) -> Result<(), CommandError> {
        let limits = unit.commands().settings().links;
        unit.ask_owner_for_mail(Some(owner), &self.wish.email, |state, quotas| {
            let wish = RepeatRegistration { nonce: random::link_nonce(), limits, quotas, at };
            repeat_registration::decide(state, wish)
        })
        .await
    }
}

/// The organization that everybody begins with, sealed and not yet staged.
struct Personal {
    id: OrganizationId,
    name: OrganizationName,
    wish: create_organization::CreateOrganization,
}

impl Personal {
    /// Makes its ids, keys and seals.
    async fn new(
        unit: &Unit<'_>,
        creator: UserId,
        owner: &str,
        at: Timestamp,
    ) -> Result<Self, CommandError> {
        let id = OrganizationId::new(unit.commands().clock().integer_id());
        let name = OrganizationName::parse(&format!("{owner}'s Organization"))
            .expect("a person's name of at most 150 printable characters leaves room for the rest");
        let names =
            Names { name: name.as_str().to_owned(), description: Some(DESCRIPTION.to_owned()) };
        let sealed =
            unit.seal_names::<Organization>(id, id, "organization.created", &names).await?;
        let wish = create_organization::CreateOrganization {
            organization: id,
            name: sealed.name,
            description: sealed.description,
            creator,
            is_personal: true,
            at,
        };
        Ok(Self { id, name, wish })
    }

    fn stage(self, unit: &mut Unit<'_>, creator: UserId) -> Result<(), CommandError> {
        let Self { id, name, wish } = self;
        let events = create_organization::decide(&Organization::default(), wish)?;
        unit.stage::<Organization>(id, events);
        let claim = claims::organization_name(unit.commands().keyring(), creator, &name);
        unit.claim(claim, Organization::stream(id));
        unit.file_under(id);
        Ok(())
    }
}

/// The organization that everybody begins with.
pub(crate) async fn stage_personal_organization(
    unit: &mut Unit<'_>,
    creator: UserId,
    owner: &str,
    at: Timestamp,
) -> Result<(), CommandError> {
    Personal::new(unit, creator, owner, at).await?.stage(unit, creator)
}

async fn seal(
    unit: &Unit<'_>,
    user: UserId,
    field: &'static str,
    text: &str,
) -> Result<Sealed, CommandError> {
    unit.seal::<User>(Subject::User(user), user, EVENT, field, text).await
}
