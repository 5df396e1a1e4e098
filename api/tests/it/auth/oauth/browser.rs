//! A browser: it keeps cookies by origin and follows redirects step by step.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, Url};
use serde_json::{Value, json};

use super::providers::{FRONTEND, hint};
use crate::app::TestApp;
use crate::auth::calls::answer;

/// Where the app says that it is; the browser goes to where it really listens.
const PUBLIC: &str = "http://localhost:8000";
/// Redirects on the longest way.
const STEPS_MAX: usize = 10;

/// Somebody's browser.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    /// The cookies of our own origin, to steal.
    pub fn steal(&self) -> BTreeMap<String, String> {
        self.cookies.get(PUBLIC).cloned().unwrap_or_default()
    }

    /// Puts cookies in for our own origin.
    pub fn plant(&mut self, cookies: BTreeMap<String, String>) {
        self.cookies.insert(PUBLIC.to_owned(), cookies);
    }

    /// One request; nothing is followed.
    pub async fn open(&mut self, url: &str) -> Response {
        let url = Url::parse(url).unwrap();
        let origin = url.origin().ascii_serialization();
        let real = url.as_str().replacen(PUBLIC, &self.app.url(""), 1);
        let jar = self.cookies.entry(origin).or_default();
        let cookies: Vec<String> =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.app.client.get(real);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// Presses the button of a provider: answers the provider's address with who will sign in there.
    pub async fn start(&mut self, provider: &str, account: &Value) -> String {
        self.start_at(&format!("{PUBLIC}/api/auth/oauth/{provider}/start/"), account).await
    }

    /// The same from another address.
    pub async fn start_at(&mut self, url: &str, account: &Value) -> String {
        let response = self.open(url).await;
        assert_eq!(response.status(), 303, "{}", response.text().await.unwrap());
        let to = location(&response);
        format!("{to}&login_hint={}", hint(account))
    }

    /// Signs in at the provider: answers the callback's address that the provider sends the browser to.
    pub async fn sign_in_there(&mut self, authorize: &str) -> String {
        let mut url = Url::parse(authorize).unwrap();
        for _ in 0..STEPS_MAX {
            let response = self.open(url.as_str()).await;
            assert!(response.status().is_redirection(), "{}", response.text().await.unwrap());
            url = url.join(&location(&response)).unwrap();
            if url.as_str().starts_with(PUBLIC) {
                return url.into();
            }
        }
        panic!("no way back from the provider");
    }

    /// Comes back: what the frontend is told, `code` or `error`.
    pub async fn come_back(&mut self, callback: &str) -> (String, String) {
        let response = self.open(callback).await;
        assert_eq!(response.status(), 303, "{}", response.text().await.unwrap());
        let to = Url::parse(&location(&response)).unwrap();
        assert_eq!(
            format!("{}{}", to.origin().ascii_serialization(), to.path()),
            format!("{FRONTEND}/auth/callback")
        );
        let mut told = to.query_pairs();
        let (name, value) = told.next().unwrap();
        assert!(told.next().is_none(), "one thing is told");
        (name.into_owned(), value.into_owned())
    }

    /// The whole way: what the frontend is told.
    pub async fn travel(&mut self, provider: &str, account: &Value) -> (String, String) {
        let authorize = self.start(provider, account).await;
        let callback = self.sign_in_there(&authorize).await;
        self.come_back(&callback).await
    }

    /// The whole way, which must end well: the code.
    pub async fn code(&mut self, provider: &str, account: &Value) -> String {
        let (name, value) = self.travel(provider, account).await;
        assert_eq!(name, "code", "{value}");
        value
    }
}

/// Where a redirect leads.
pub fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// Redeems a code as a frontend does.
pub async fn exchange(app: &TestApp, code: &str) -> (u16, Value) {
    answer(app.post("/api/auth/oauth/exchange/").json(&json!({ "code": code }))).await
}

/// Signs in by a provider, in a new browser, to the end.
pub async fn sign_in(app: &TestApp, provider: &str, account: &Value) -> (u16, Value) {
    let code = Browser::new(app).code(provider, account).await;
    exchange(app, &code).await
}

/// How many accounts, identities, sessions there are.
pub async fn created(app: &TestApp) -> [usize; 3] {
    use crate::auth::calls::logged;
    [
        logged(app, "user.registered").await,
        logged(app, "user.identity_linked").await,
        logged(app, "session.started").await,
    ]
}

/// The codes of the refusals on record.
pub async fn refusals(app: &TestApp) -> Vec<String> {
    let events = app.app.commands.store().read_all(keynest_store::Position::START, 10_000).await;
    let refused = events.unwrap().into_iter().filter(|it| &*it.name == "refusals.access_refused");
    let code = |it: keynest_store::Recorded| {
        let data: Value = serde_json::from_slice(&it.data).unwrap();
        data["code"].as_str().unwrap().to_owned()
    };
    refused.map(code).collect()
}
