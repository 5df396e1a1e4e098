//! Accounts, activated, some with a session.

use keynest_cli::product::Product;
use keynest_commands::{Clock, claims};
use keynest_crypto::{Context, Keyring, Password, RefreshTokens, Subject, random};
use keynest_domain::session::{Session, SessionStarted, SignInMethod};
use keynest_domain::user::{User, UserActivated, UserRegistered};
use keynest_domain::{Aggregate, Email, Lifetime, SessionId, UserId, Username};
use keynest_store::EventStore;

use super::Plan;
use super::workers::{self, Draft, Maker};

/// Everybody's.
pub const PASSWORD: &str = "correct-Horse-7-battery";

/// Somebody with an account.
#[derive(Clone)]
pub struct Person {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub session: Option<SessionId>,
}

struct People {
    product: Parts,
    name: &'static str,
    sessions: usize,
    /// One hash for all: hashing a hundred thousand takes an hour.
    password: String,
}

/// What makers need of the product.
#[derive(Clone)]
pub struct Parts {
    pub store: EventStore,
    pub keyring: Keyring,
    pub clock: Clock,
}

impl From<&Product> for Parts {
    fn from(product: &Product) -> Self {
        let (store, keyring) = (product.store.clone(), product.keyring.clone());
        Self { store, keyring, clock: product.clock.clone() }
    }
}

pub async fn seed(
    product: &Product,
    plan: &Plan,
    name: &'static str,
) -> anyhow::Result<Vec<Person>> {
    let hasher = keynest_crypto::PasswordHasher::new(keynest_crypto::HashParams::default())?;
    let password = Password::parse(PASSWORD)?;
    let password = hasher.hash(&password).await?;
    let people = People { product: product.into(), name, sessions: plan.sessions, password };
    workers::all(people, plan.people).await
}

impl Maker for People {
    type Made = Person;

    async fn make(&self, n: usize) -> anyhow::Result<Person> {
        let Parts { store, keyring, clock } = &self.product;
        let (user, at) = (UserId::new(clock.integer_id()), clock.now());
        let name = format!("{}{n:06}", self.name);
        let email = format!("{name}@example.com");
        let key = keyring.sealing_key(Subject::User(user)).await?;
        let seal = |field: &'static str, text: &str| {
            let stream = User::stream(user);
            let context = Context::new(Subject::User(user), stream, "user.registered", field);
            key.seal(&context, text.as_bytes())
        };
        let registered = UserRegistered {
            user,
            username: seal("username", &name)?,
            email: seal("email", &email)?,
            first_name: seal("first_name", "Person")?,
            last_name: seal("last_name", &n.to_string())?,
            password: Some(seal("password", &self.password)?),
            nonce: random::link_nonce(),
            expires_at: at + Lifetime::from_hours(24),
            at,
        };
        let mut draft = Draft::new(&self.product, Some(user), None);
        draft.begin::<User>(user, &[registered.into(), UserActivated { at }.into()]);
        draft.claim::<User>(claims::email(keyring, &Email::parse(&email)?), user);
        draft.claim::<User>(claims::username(keyring, &Username::parse(&name)?), user);
        let session = (n < self.sessions).then(|| clock.session_id());
        if let Some(session) = session {
            let started = SessionStarted {
                session,
                user,
                epoch: 0,
                refresh_key: RefreshTokens::new(keyring.clone()).current_key_id(),
                method: SignInMethod::Password,
                second_factor: None,
                at,
            };
            draft.begin::<Session>(session, &[started.into()]);
        }
        draft.append(store).await?;
        Ok(Person { user, name, email, session })
    }
}
