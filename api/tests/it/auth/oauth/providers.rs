//! The providers of `scripts/test-providers`, one process for all tests of this binary.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_api::oauth::{ProviderKind, ProviderSettings};
use keynest_domain::ProviderName;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::app::{Builder, TestApp};

/// What the providers call this application.
pub const CLIENT: &str = "keynest-test";
pub const SECRET: &str = "a secret of the tests";
/// Long enough for a busy machine, short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(5);

static PROCESS: LazyLock<Process> = LazyLock::new(Process::start);

struct Process {
    /// Its input stays open as long as this process lives; then it stops by itself.
    _child: Child,
    /// Stays open too, or its first word would be its last.
    _output: BufReader<ChildStdout>,
    certified: u64,
    misbehaving: u64,
}

impl Process {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let installed = folder.join(".tools/test-providers");
        let node = [installed.join("bin/node"), PathBuf::from("node")];
        let node = node.iter().find(|it| !it.is_absolute() || it.exists()).unwrap();
        let mut child = Command::new(node)
            .arg(installed.join("main.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("scripts/install-needs test has installed the providers");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ports: Value = serde_json::from_str(&line).expect("the providers say their ports");
        let port = |name: &str| ports[name].as_u64().unwrap();
        Self {
            certified: port("certified"),
            misbehaving: port("misbehaving"),
            _child: child,
            _output: output,
        }
    }
}

/// The certified provider's issuer.
pub fn certified() -> String {
    format!("http://127.0.0.1:{}", PROCESS.certified)
}

/// An issuer of its own that does one thing wrong, or nothing for `good`.
pub fn misbehaving(what: &str) -> String {
    format!("http://127.0.0.1:{}/{what}/{}", PROCESS.misbehaving, unique())
}

/// A GitHub of its own.
pub fn github(what: &str) -> String {
    format!("http://127.0.0.1:{}/gh/{what}/{}", PROCESS.misbehaving, unique())
}

fn unique() -> Uuid {
    Uuid::from_u128(keynest_crypto::random::bits128())
}

/// What the providers are told of whoever signs in.
pub fn hint(account: &Value) -> String {
    URL_SAFE_NO_PAD.encode(account.to_string())
}

/// An account at a provider with a verified address.
pub fn account(name: &str) -> Value {
    json!({
        "sub": format!("subject-of-{name}"), "email": format!("{name}@example.com"),
        "email_verified": true, "given_name": name, "family_name": "Elsewhere",
        "picture": format!("https://pictures.example/{name}.png"),
    })
}

/// An account at GitHub with a verified primary address and others.
pub fn github_account(login: &str, id: u64) -> Value {
    json!({
        "id": id, "login": login, "name": "Octo Cat", "avatar_url": "https://pictures.example/1",
        "emails": [
            {"email": "old@example.com", "primary": false, "verified": true},
            {"email": format!("{login}@example.com"), "primary": true, "verified": true},
            {"email": "never@example.com", "primary": false, "verified": false},
        ],
    })
}

/// A provider that speaks OpenID Connect, in the place of Google.
pub fn oidc(name: &str, issuer: &str) -> ProviderSettings {
    ProviderSettings {
        name: ProviderName::parse(name).unwrap(),
        title: name.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: SECRET.into(),
        scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        kind: ProviderKind::Oidc {
            issuer: issuer.to_owned(),
            origins: Vec::new(),
            tokeninfo: Some(format!("{issuer}/tokeninfo")),
        },
    }
}

/// One that speaks as GitHub does.
pub fn like_github(url: &str) -> ProviderSettings {
    ProviderSettings::github(CLIENT.to_owned(), SECRET.into(), url.to_owned(), url.to_owned())
}

/// An app with these providers, which are on this machine.
pub fn builder(pool: PgPool, providers: Vec<ProviderSettings>) -> Builder {
    let mut builder = TestApp::builder(pool);
    builder.settings.oauth.outgoing.timeout = PATIENCE;
    builder.settings.oauth.outgoing.internal = [PROCESS.certified, PROCESS.misbehaving]
        .map(|port| format!("http://127.0.0.1:{port}").parse().unwrap())
        .to_vec();
    builder.settings.oauth.providers = providers;
    builder.settings.frontend_url = Some(FRONTEND.to_owned());
    builder
}

/// Where browsers end.
pub const FRONTEND: &str = "https://app.example";

/// With Google in the person of a provider that does one thing wrong.
pub async fn app_with_google(pool: PgPool, what: &str) -> TestApp {
    builder(pool, vec![oidc("google", &misbehaving(what))]).start().await
}
