//! A seeded place with a running product, and people who are signed in there.

use anyhow::Context;
use keynest_cli::product::Product;
use keynest_crypto::{AccessClaims, AccessTokens, RefreshTokens};
use secrecy::ExposeSecret;

use crate::instance::Instance;
use crate::place::Place;
use crate::processor::Watch;
use crate::seed::{self, Person, Plan, Team};

/// Nobody is written to about what was seeded: the workers begin behind it.
const SKIP: &str = "update store.consumers c set position = l.position, incarnation = l.incarnation from store.log l";
/// The `aud` of access tokens.
const AUDIENCE: &str = "keynest";

/// Everything that HTTP is measured on.
pub struct World {
    pub place: Place,
    pub instance: Instance,
    pub people: Vec<Person>,
    /// One each for the first of the people, who have a session.
    pub tokens: Vec<Tokens>,
    /// The nth is administered by the nth of the people.
    pub teams: Vec<Team>,
    pub big: Option<Team>,
    /// Tokens of each team's invitations.
    pub invitations: Vec<Vec<String>>,
}

/// What somebody has who signed in.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// As many people as connections, each with a team of one's own.
pub fn small(people: usize) -> Plan {
    let (big_variables, big_versions, events, invitations) = (0, 0, 0, 0);
    Plan {
        people,
        teams: people,
        variables: 50,
        big_variables,
        big_versions,
        events,
        invitations,
        sessions: people,
    }
}

impl World {
    /// Seeds a fresh place, brings its read models to the head and starts the product there.
    pub async fn new(section: &str, plan: &Plan) -> anyhow::Result<Self> {
        Self::with(section, plan, &[]).await
    }

    /// The same with further keys of the configuration.
    pub async fn with(
        section: &str,
        plan: &Plan,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let place = Place::new(section).await?;
        let product = place.product().await?;
        let seeded = seed::seed(&product, plan).await.context("seed")?;
        seed::catch_up(&product).await?;
        let mut connection = place.connect().await?;
        sqlx::raw_sql(SKIP).execute(&mut connection).await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut connection).await?;
        let instance = Instance::start_with(&place, settings).await?;
        let tokens = tokens(&product, &instance.url, &seeded.people)?;
        product.close().await;
        let seed::Seeded { people, teams, big, invitations } = seeded;
        Ok(Self { place, instance, people, tokens, teams, big, invitations })
    }

    /// For the processor time that requests take.
    pub async fn watch(&self) -> anyhow::Result<Watch> {
        Watch::new(self.instance.id()?, &mut self.place.connect().await?).await
    }

    /// Ends the product and drops the database.
    pub async fn leave(self) -> anyhow::Result<()> {
        self.instance.stop().await?;
        self.place.leave().await
    }
}

/// What the product would have answered to a sign-in of each.
fn tokens(product: &Product, url: &str, people: &[Person]) -> anyhow::Result<Vec<Tokens>> {
    let minter = AccessTokens::new(product.keyring.clone(), url, AUDIENCE);
    let refresh = RefreshTokens::new(product.keyring.clone());
    let signed_in = people.iter().filter_map(|person| Some((person, person.session?)));
    let tokens = signed_in.map(|(person, session)| {
        let claims = AccessClaims {
            user: person.user,
            session,
            epoch: 0,
            username: person.name.clone(),
            email: person.email.clone(),
            full_name: person.name.clone(),
            permissions: Vec::new(),
        };
        let access = minter.mint(&claims, product.clock.now())?;
        let key = refresh.current_key_id();
        let refresh = refresh.issue(session, 0, key).context("no refresh key")?;
        Ok(Tokens {
            access: access.expose_secret().to_owned(),
            refresh: refresh.expose_secret().to_owned(),
        })
    });
    tokens.collect()
}
