//! People who work all the time, each in an organization of their own, and remember what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::caller::{Answer, Caller};
use crate::dice::Dice;
use crate::ledger::What;
use crate::sink::Sink;
use crate::team::Guest;
use crate::withdrawn::Withdrawn;

pub const PASSWORD: &str = "correct-Horse-7-battery";
/// Variables of one environment, so that a look at all of them stays small.
const VARIABLES_MAX: usize = 20;
/// Imports into one environment, so that its stream stays short.
const FILLS_MAX: u64 = 20;
/// Between two looks into the mailbox.
const MAIL_LOOK_EVERY: Duration = Duration::from_millis(20);

/// What somebody knows to be true.
#[derive(Clone, Default)]
pub struct Memory {
    pub organization: i64,
    pub environment: i64,
    /// Key and value by id.
    pub variables: BTreeMap<i64, (String, String)>,
    /// An environment that is filled by imports.
    pub filled: i64,
    /// What all of its variables have since the last import.
    pub filling: Option<String>,
}

/// Held for reading in every step, so that whoever writes knows that nobody is in the middle of one.
pub type Gate = Arc<RwLock<()>>;

pub struct Actor {
    pub(crate) caller: Caller,
    pub(crate) sink: Sink,
    pub(crate) dice: Dice,
    pub(crate) email: String,
    /// By a stranger's guesses.
    pub(crate) is_locked_out: bool,
    /// The address of whom this one invites, who is invited by nobody else.
    pub(crate) peer: String,
    pub(crate) guest: Guest,
    /// Of the guest who is out, until the next invitation.
    pub(crate) is_invited_again: Arc<AtomicBool>,
    refresh: String,
    project: i64,
    made: u64,
    /// Variables of one import.
    bulk: usize,
    fills: u64,
    memory: Arc<Mutex<Memory>>,
    pub(crate) looking: JoinSet<()>,
}

impl Actor {
    /// Registers, activates the account by its mail, signs in, and makes a place to work in.
    pub async fn arrive(caller: Caller, peer: &str, sink: Sink, seed: u64, bulk: usize) -> Self {
        let [email, peer] = [caller.name(), peer].map(|name| format!("{name}@example.com"));
        let memory = Arc::default();
        let (refresh, looking) = (String::new(), JoinSet::new());
        let (dice, guest, made) = (Dice::new(seed), Guest::None, 0);
        let mut actor = Self {
            caller,
            sink,
            dice,
            email,
            is_locked_out: false,
            peer,
            guest,
            is_invited_again: Arc::default(),
            refresh,
            project: 0,
            made,
            bulk,
            fills: 0,
            memory,
            looking,
        };
        let name = actor.caller.name().to_owned();
        let account = json!({"username": name, "email": actor.email, "password": PASSWORD,
            "confirm_password": PASSWORD, "first_name": "", "last_name": ""});
        actor.must(What::Register, Method::POST, "/api/auth/register/", account).await;
        let link = actor.link("/activate/").await;
        let parts: Vec<&str> = link.trim_matches('/').rsplit('/').collect();
        let body = json!({"uid": parts[1], "token": parts[0]});
        actor.must(What::Activate, Method::POST, "/api/auth/activate/", body).await;
        let session = actor.sign_in().await;
        actor.holds(&session);
        let body = json!({"name": format!("team of {name}"), "description": ""});
        let path = "/api/core/organizations/";
        let organization =
            actor.must(What::CreateOrganization, Method::POST, path, body).await.id();
        let body = json!({"name": "project", "organization": organization});
        let path = "/api/core/projects/";
        let project = actor.must(What::CreateProject, Method::POST, path, body).await.id();
        actor.project = project;
        let (environment, filled) = (actor.make("env").await, actor.make("filled").await);
        let memory = Memory { organization, environment, filled, ..Memory::default() };
        *actor.memory.lock().unwrap() = memory;
        actor
    }

    /// A further environment, for others to work in.
    pub async fn lend(&mut self) -> (String, i64) {
        let lent = self.make("lent").await;
        (self.caller.token.clone().unwrap(), lent)
    }

    async fn make(&mut self, name: &str) -> i64 {
        let body = json!({"name": name, "project": self.project, "environment_type": "testing"});
        let path = "/api/core/environments/";
        self.must(What::CreateEnvironment, Method::POST, path, body).await.id()
    }

    /// Goes on with the tokens of an answer.
    fn holds(&mut self, answer: &Answer) {
        let token = text(answer, "access");
        self.refresh = text(answer, "refresh");
        let mut book = self.caller.ledger().open();
        book.tokens.insert(self.email.clone(), token.clone());
        drop(book);
        self.caller.token = Some(token);
    }

    pub fn memory(&self) -> Arc<Mutex<Memory>> {
        Arc::clone(&self.memory)
    }

    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Works until it is told to stop.
    pub async fn work(mut self, gate: Gate, done: Arc<AtomicBool>) {
        while !done.load(Ordering::Relaxed) {
            let _open = gate.read().await;
            self.step().await;
            while self.looking.try_join_next().is_some() {}
        }
        self.looking.join_all().await;
    }

    async fn step(&mut self) {
        let hurry = self.caller.ledger().open().hurry;
        if self.dice.below(100) < hurry {
            return self.fill().await;
        }
        let (organization, environment, ids) = {
            let memory = self.memory.lock().unwrap();
            let ids = memory.variables.keys().copied().collect::<Vec<_>>();
            (memory.organization, memory.environment, ids)
        };
        let some = (!ids.is_empty()).then(|| ids[self.dice.below(ids.len())]);
        match (self.dice.below(100), some) {
            (0..3, _) => self.come_and_go().await,
            (3..6, _) => self.renew().await,
            (6..9, _) => self.fill().await,
            (9..16, _) => self.look(environment).await,
            (16..26, _) => self.entertain(organization).await,
            (26..60, Some(id)) => self.change(environment, id).await,
            (60.., Some(id)) if ids.len() >= VARIABLES_MAX => self.delete(environment, id).await,
            (60..68, Some(id)) => self.delete(environment, id).await,
            _ => self.create(environment).await,
        }
    }

    async fn create(&mut self, environment: i64) {
        self.made += 1;
        let (key, value) = (format!("KEY_{}", self.made), format!("value {}", self.made));
        let body = json!({"key": key, "value": value, "environment": environment});
        let path = "/api/core/variables/";
        let made = self.must(What::CreateVariable(environment), Method::POST, path, body).await;
        self.memory.lock().unwrap().variables.insert(made.id(), (key, value));
    }

    async fn change(&mut self, environment: i64, id: i64) {
        self.made += 1;
        let value = format!("value {}", self.made);
        let (path, body) = (format!("/api/core/variables/{id}/"), json!({"value": value}));
        self.must(What::ChangeVariable(environment), Method::PATCH, &path, body).await;
        let mut memory = self.memory.lock().unwrap();
        memory.variables.get_mut(&id).expect("it is there").1 = value;
    }

    async fn delete(&mut self, environment: i64, id: i64) {
        let path = format!("/api/core/variables/{id}/");
        self.must(What::DeleteVariable(environment), Method::DELETE, &path, Value::Null).await;
        self.memory.lock().unwrap().variables.remove(&id);
    }

    async fn look(&mut self, environment: i64) {
        let path = format!("/api/core/environments/{environment}/variables/");
        self.caller.reveal(&path).await;
    }

    async fn renew(&mut self) {
        let body = json!({"refresh": self.refresh});
        let path = "/api/auth/token/refresh/";
        let renewed = self.must(What::Refresh, Method::POST, path, body).await;
        self.holds(&renewed);
    }

    /// All variables of the filled environment get a new value; now and then in a new one.
    async fn fill(&mut self) {
        self.made += 1;
        self.fills += 1;
        if self.fills.is_multiple_of(FILLS_MAX) {
            let filled = self.make(&format!("filled{}", self.fills)).await;
            let mut memory = self.memory.lock().unwrap();
            (memory.filled, memory.filling) = (filled, None);
        }
        let (filled, value) = (self.memory.lock().unwrap().filled, format!("value{}", self.made));
        let file: String = (0..self.bulk).map(|it| format!("KEY_{it}={value}\n")).collect();
        let body = json!({"data": file, "format": "env", "overwrite": true});
        let path = format!("/api/core/environments/{filled}/import/");
        self.must(What::Import(filled), Method::POST, &path, body).await;
        self.memory.lock().unwrap().filling = Some(value);
    }

    /// A session that ends at once, and a token of it that ends, too.
    async fn come_and_go(&mut self) {
        let session = self.sign_in().await;
        let mut other = self.caller.clone();
        other.token = Some(text(&session, "access"));
        let own = std::mem::replace(&mut self.caller.token, other.token.clone());
        let body = json!({"name": "machine", "access": "read", "everywhere": true});
        let made = self.must(What::CreateToken, Method::POST, "/api/auth/tokens/", body).await;
        let path = format!("/api/auth/tokens/{}/", made.id());
        self.must(What::RevokeToken, Method::DELETE, &path, Value::Null).await;
        // One that was made by a request without an answer is not told again.
        if let Some(token) = made.body["token"].as_str() {
            let mut machine = self.caller.clone();
            machine.token = Some(token.to_owned());
            let organizations = "/api/core/organizations/";
            let withdrawn = Withdrawn::look("a token that was revoked", machine, organizations);
            self.looking.spawn(withdrawn.watch());
        }
        self.must(What::LogOut, Method::POST, "/api/auth/logout/", json!({})).await;
        self.caller.token = own;
        let what = "a session that was signed out";
        self.looking.spawn(Withdrawn::look(what, other, "/api/auth/profile/").watch());
        self.be_locked_out().await;
    }

    async fn sign_in(&mut self) -> Answer {
        let body = json!({"email": self.email, "password": PASSWORD});
        self.must(What::LogIn, Method::POST, "/api/auth/login/", body).await
    }

    /// A change that nothing stands against.
    pub(crate) async fn must(
        &mut self,
        what: What,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let answer = self.caller.change(what, method, path, &body).await;
        if !answer.is_ok() {
            // What was acknowledged is not there; or something is there that was not acknowledged.
            let invariant = if answer.status == 404 { "I1" } else { "I2" };
            let told = format!("{} {what:?} {path}: {answer:?}", self.caller.name());
            self.caller.ledger().open().scandals.push(format!("{invariant} {told}"));
            panic!("{told}");
        }
        answer
    }

    /// The path of the link in the newest mail of a kind.
    async fn link(&self, kind: &str) -> String {
        let mut every = tokio::time::interval(MAIL_LOOK_EVERY);
        loop {
            every.tick().await;
            let mails = self.sink.to(&self.email);
            let links = mails.iter().rev().flat_map(|mail| &mail.links);
            if let Some(link) = links.into_iter().find(|link| link.contains(kind)) {
                return format!("/{}", link.splitn(4, '/').nth(3).unwrap());
            }
        }
    }
}

fn text(answer: &Answer, member: &str) -> String {
    answer.body[member].as_str().unwrap_or_else(|| panic!("{member} in {answer:?}")).to_owned()
}
