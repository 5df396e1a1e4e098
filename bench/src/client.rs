//! Calls, timed from the first byte sent to the last byte read, and people who are there to be asked for.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::instance::Instance;

pub const PASSWORD: &str = "correct-Horse-7-battery";
/// Looks for a mail before giving up, and the pause between two.
const LOOKS_MAX: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What came back, and how long it took.
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub took: Duration,
}

impl Answer {
    /// Fails unless it has this status: what is measured must be what was meant.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "{status} was expected: {} {}", self.status, self.body);
        Ok(self)
    }

    /// A text of the body.
    pub fn text(&self, field: &str) -> anyhow::Result<String> {
        let text = self.body[field].as_str().with_context(|| format!("no {field}"))?;
        Ok(text.to_owned())
    }
}

impl Instance {
    pub async fn post(
        &self,
        path: &str,
        access: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        let mut request = self.client.post(format!("{}{path}", self.url)).json(body);
        if let Some(access) = access {
            request = request.bearer_auth(access);
        }
        let request = request.build()?;
        let began = Instant::now();
        let response = self.client.execute(request).await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let took = began.elapsed();
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), took })
    }

    /// Somebody who has not confirmed the address.
    pub async fn register(&self, name: &str) -> anyhow::Result<String> {
        let email = format!("{name}@example.com");
        self.post("/api/auth/register/", None, &registration(name, &email)).await?.expect(201)?;
        Ok(email)
    }

    /// Somebody who has.
    pub async fn register_active(&self, name: &str) -> anyhow::Result<String> {
        let email = self.register(name).await?;
        let url = format!("{}/dev/mailbox/latest/?to={email}", self.url);
        for _ in 0..LOOKS_MAX {
            let mail = self.client.get(&url).send().await?.text().await?;
            if let Some(link) = mail.split_once("/activate/").map(|(_, link)| link) {
                let mut parts = link.split(|it: char| it == '/' || it.is_whitespace());
                let body = json!({ "uid": parts.next(), "token": parts.next() });
                self.post("/api/auth/activate/", None, &body).await?.expect(200)?;
                return Ok(email);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("no mail to {email}")
    }

    /// An access token.
    pub async fn sign_in(&self, email: &str) -> anyhow::Result<String> {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post("/api/auth/login/", None, &body).await?.expect(200)?.text("access")
    }

    /// Gives somebody a passkey.
    pub async fn enrol(&self, access: &str, key: &mut Authenticator) -> anyhow::Result<()> {
        let path = "/api/auth/factors/passkeys/";
        let begun = self.post(&format!("{path}options/"), Some(access), &json!({})).await?;
        let begun = begun.expect(200)?.body;
        let made = key.create(&begun["options"]);
        let body = json!({ "challenge": begun["challenge"], "passkey": made, "name": "bench" });
        self.post(path, Some(access), &body).await?.expect(201)?;
        Ok(())
    }
}

/// What a client sends to register.
pub fn registration(username: &str, email: &str) -> Value {
    json!({
        "username": username, "email": email, "password": PASSWORD, "confirm_password": PASSWORD,
        "first_name": "", "last_name": "",
    })
}
