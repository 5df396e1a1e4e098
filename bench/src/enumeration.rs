//! Does the time of an answer tell whether an account exists (D27, THREATS A7)? Pairs of calls, one for somebody, one for
//! nobody, each first half of the time. `api/tests/it/auth/same_work.rs` proves that both do the same; here is what is left.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::client::registration;
use crate::instance::Instance;
use crate::place::Place;
use crate::samples::Samples;
use crate::section::Section;
use crate::table::Table;

/// Pairs of each route.
const PAIRS: usize = 200;
const PAIRS_QUICK: usize = 10;
/// Pairs before the first that counts.
const WARM_UP: usize = 5;
/// People of each kind; each is asked for again after all others.
const PEOPLE: usize = 40;
/// The routes that a stranger can ask for somebody.
#[derive(Clone, Copy)]
enum Route {
    Register,
    LogIn,
    Reset,
    Resend,
    Invite,
    Passkey,
}

/// Who is there.
struct World {
    place: Place,
    instance: Instance,
    active: Vec<String>,
    waiting: Vec<String>,
    /// Who invites, with enough organizations.
    host: String,
    organizations: Vec<i64>,
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let pairs = if is_quick { PAIRS_QUICK } else { PAIRS };
    let world = World::new(pairs).await?;
    let head = ["route", "pairs", "known, ms", "unknown, ms", "difference, ms", "", "AUC"];
    let mut table = Table::new("", head);
    let mut samples = Vec::new();
    for route in Route::ALL {
        let (known, unknown) = measure(&world, route, pairs).await.context(route.name())?;
        let (of_known, of_unknown) = (known.median(), unknown.median());
        let difference = of_known - of_unknown;
        table.row([
            route.name().to_owned(),
            pairs.to_string(),
            format!("{of_known:.2}"),
            format!("{of_unknown:.2}"),
            format!("{difference:+.2}"),
            format!("{:+.1} %", difference / of_unknown * 100.0),
            format!("{:.3}", known.likely_above(&unknown)),
        ]);
        samples.push(json!({
            "route": route.name(), "known_us": known.micros(), "unknown_us": unknown.micros(),
        }));
    }
    let title = "Medians of pairs of calls for an address with an account and one without. AUC: how likely a call \
                 for a known one takes longer; 0.5 tells nothing.";
    let samples = Value::Array(samples);
    world.instance.stop().await?;
    world.place.leave().await?;
    Ok(Section { tables: vec![table], samples, ..Section::new("enumeration", title) })
}

async fn measure(world: &World, route: Route, pairs: usize) -> anyhow::Result<(Samples, Samples)> {
    let (mut known, mut unknown) = (Samples::default(), Samples::default());
    for n in 0..WARM_UP + pairs {
        for is_known in [n % 2 == 0, n % 2 != 0] {
            let took = world.call(route, n, is_known).await?;
            let samples = if is_known { &mut known } else { &mut unknown };
            if n >= WARM_UP {
                samples.push(took);
            }
        }
    }
    Ok((known, unknown))
}

impl Route {
    const ALL: [Self; 6] =
        [Self::Register, Self::LogIn, Self::Reset, Self::Resend, Self::Invite, Self::Passkey];

    fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::LogIn => "login, wrong password",
            Self::Reset => "password reset",
            Self::Resend => "resend activation",
            Self::Invite => "invite",
            Self::Passkey => "passkey, wrong signature",
        }
    }
}

impl World {
    async fn new(pairs: usize) -> anyhow::Result<Self> {
        let place = Place::new("enumeration").await?;
        let instance = Instance::start(&place).await?;
        let (mut active, mut waiting) = (Vec::new(), Vec::new());
        for n in 0..PEOPLE {
            active.push(instance.register_active(&format!("active{n:03}")).await?);
            waiting.push(instance.register(&format!("waiting{n:03}")).await?);
        }
        let host = instance.register_active("host").await?;
        let host = instance.sign_in(&host).await?;
        let mut organizations = Vec::new();
        for n in 0..=(WARM_UP + pairs) / PEOPLE {
            let body = json!({ "name": format!("Bench {n}") });
            let made = instance.post("/api/core/organizations/", Some(&host), &body).await?;
            organizations.push(made.expect(201)?.body["id"].as_i64().context("an id")?);
        }
        let keeper = instance.register_active("keeper").await?;
        let keeper = instance.sign_in(&keeper).await?;
        instance.enrol(&keeper, &mut key("known", &instance)).await?;
        Ok(Self { place, instance, active, waiting, host, organizations })
    }

    /// One call, for somebody or for nobody. Both are asked for equally often.
    async fn call(&self, route: Route, n: usize, is_known: bool) -> anyhow::Result<Duration> {
        let person = n % PEOPLE;
        let email = match (route, is_known) {
            (Route::Register, false) => format!("fresh{n:03}@example.com"),
            (_, false) => format!("nobody{person:03}@example.com"),
            (Route::Resend, true) => self.waiting[person].clone(),
            (_, true) => self.active[person].clone(),
        };
        let body = json!({ "email": email });
        let (path, access, body, status) = match route {
            Route::Register => {
                let username = format!("user{n:03}{}", u8::from(is_known));
                ("/api/auth/register/".to_owned(), None, registration(&username, &email), 201)
            }
            Route::LogIn => {
                let body = json!({ "email": email, "password": "wrong guess" });
                ("/api/auth/login/".to_owned(), None, body, 400)
            }
            Route::Reset => ("/api/auth/password-reset/".to_owned(), None, body, 200),
            Route::Resend => ("/api/auth/activation/resend/".to_owned(), None, body, 200),
            Route::Invite => {
                let organization = self.organizations[n / PEOPLE];
                let path = format!("/api/core/organizations/{organization}/invite_member/");
                (path, Some(self.host.as_str()), body, 201)
            }
            Route::Passkey => {
                let body = self.wrong_passkey(if is_known { "known" } else { "other" }).await?;
                ("/api/auth/login/passkey/".to_owned(), None, body, 400)
            }
        };
        Ok(self.instance.post(&path, access, &body).await?.expect(status)?.took)
    }

    /// A signature by another key, under an id that is known or is not.
    async fn wrong_passkey(&self, id: &str) -> anyhow::Result<Value> {
        let path = "/api/auth/login/passkey/options/";
        let begun = self.instance.post(path, None, &json!({})).await?.expect(200)?.body;
        let passkey = key(id, &self.instance).get(&begun["options"]);
        Ok(json!({ "challenge": begun["challenge"], "passkey": passkey }))
    }
}

/// A passkey of this site; another one each time, whatever its id.
fn key(id: &str, instance: &Instance) -> Authenticator {
    let mut key = Authenticator::new(&format!("a passkey {id}"));
    key.origin = instance.url.clone().leak();
    key
}
