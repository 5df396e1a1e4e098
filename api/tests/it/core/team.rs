//! A team with one person of each role, a stranger, and one object of each kind.

use keynest_domain::organization::{MemberJoined, Organization};
use keynest_domain::{Aggregate, OrganizationId, Role, Timestamp, UserId};
use keynest_store::{Append, Expected, Metadata, Revision, StreamAppend, encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::TestApp;
use crate::person::{Person, link_path};

/// A person of each role, and what they work on.
pub struct Team {
    pub app: TestApp,
    pub admin: Person,
    pub editor: Person,
    pub viewer: Person,
    pub outsider: Person,
    pub organization: i64,
    pub project: i64,
    pub environment: i64,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The id of what was made.
    #[track_caller]
    pub fn id(&self) -> i64 {
        self.body["id"].as_i64().unwrap_or_else(|| panic!("no id in {self:?}"))
    }

    /// Fails with the whole answer unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }
}

impl TestApp {
    /// One call, signed in or not, with a JSON body or none.
    pub async fn call(
        &self,
        caller: Option<&Person>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("/api/core/{path}") };
        let mut request = self.request(method, &path);
        if let Some(person) = caller {
            request = request.bearer_auth(&person.access);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn read(&self, caller: &Person, path: &str) -> Answer {
        self.call(Some(caller), Method::GET, path, Value::Null).await
    }

    pub async fn make(&self, caller: &Person, path: &str, body: Value) -> Answer {
        self.call(Some(caller), Method::POST, path, body).await
    }

    pub async fn change(&self, caller: &Person, path: &str, body: Value) -> Answer {
        self.call(Some(caller), Method::PATCH, path, body).await
    }

    pub async fn remove(&self, caller: &Person, path: &str, body: Value) -> Answer {
        self.call(Some(caller), Method::DELETE, path, body).await
    }

    /// Invites an address and answers the token of the mail.
    pub async fn invite(
        &self,
        admin: &Person,
        organization: i64,
        email: &str,
        role: &str,
    ) -> String {
        let path = format!("organizations/{organization}/invite_member/");
        self.make(admin, &path, json!({"email": email, "role": role})).await.expect(201);
        self.invitation_token(email).await
    }

    /// The token of the newest mail to an address.
    pub async fn invitation_token(&self, email: &str) -> String {
        let path = link_path(&self.mail_to(email).await.body_text);
        assert!(path.starts_with("/accept-invitation/"), "{path}");
        path.trim_matches('/').split('/').next_back().unwrap().to_owned()
    }

    pub async fn accept(&self, caller: Option<&Person>, token: &str) -> Answer {
        self.call(caller, Method::POST, "/api/auth/invitations/accept/", json!({"token": token}))
            .await
    }

    /// Invites and accepts.
    pub async fn join(&self, admin: &Person, organization: i64, person: &Person, role: &str) {
        let token = self.invite(admin, organization, &person.email, role).await;
        self.accept(None, &token).await.expect(200);
    }

    /// Puts strangers into a team without the ceremony, straight into the log.
    pub async fn crowd(&self, organization: i64, members: usize) {
        let store = self.app.commands.store();
        let stream = Organization::stream(OrganizationId::new(organization));
        let recorded = store.read_stream(&stream, Revision::NONE).await.unwrap();
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        let joined = |id: i64| MemberJoined { user: UserId::new(id), role: Role::Viewer, at };
        let events = (1..=members as i64).map(|id| encode(&joined(id).into())).collect();
        let expected = Expected::Exact(recorded.last().unwrap().revision);
        let append = Append {
            command_id: self.clock.command_id(),
            streams: vec![StreamAppend { stream, expected, events }],
            checks: vec![],
            claims: vec![],
            releases: vec![],
            metadata: Metadata::default(),
        };
        store.append(append).await.unwrap();
    }
}

impl Team {
    pub async fn start(pool: PgPool) -> Self {
        Self::of(TestApp::start(pool).await).await
    }

    pub async fn of(app: TestApp) -> Self {
        let admin = app.register_active("ann").await;
        let editor = app.register_active("edi").await;
        let viewer = app.register_active("vic").await;
        let outsider = app.register_active("eve").await;
        let organization =
            app.make(&admin, "organizations/", json!({"name": "Acme"})).await.expect(201).id();
        app.join(&admin, organization, &editor, "editor").await;
        app.join(&admin, organization, &viewer, "viewer").await;
        let wish = json!({"name": "web", "organization": organization});
        let project = app.make(&admin, "projects/", wish).await.expect(201).id();
        let wish = json!({"name": "dev", "project": project});
        let environment = app.make(&admin, "environments/", wish).await.expect(201).id();
        Self { app, admin, editor, viewer, outsider, organization, project, environment }
    }

    /// A new variable of the environment.
    pub async fn variable(&self, key: &str, value: &str) -> i64 {
        let wish = json!({"key": key, "value": value, "environment": self.environment});
        self.app.make(&self.admin, "variables/", wish).await.expect(201).id()
    }

    /// The variables of the environment as somebody sees them, by key.
    pub async fn shown(&self, caller: &Person) -> Vec<(String, String)> {
        let path = format!("environments/{}/variables/", self.environment);
        let page = self.app.read(caller, &path).await.expect(200).body;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = page["results"].as_array().unwrap();
        rows.iter().map(|row| (text(row, "key"), text(row, "decrypted_value"))).collect()
    }
}
