//! `smtp_server.py` as a child process, and certificates for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use keynest_workers::{Consumer, SmtpLimits, Transport};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::world::World;

const LIMITS: SmtpLimits = SmtpLimits { timeout: Duration::from_secs(30), connections_max: 2 };

/// Ends with its handle.
pub struct Server {
    pub port: u16,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

/// What the server saw.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub messages: Vec<Message>,
    /// Tries per recipient.
    pub attempts: BTreeMap<String, u32>,
    pub greetings: u32,
}

#[derive(Debug, Deserialize)]
pub struct Message {
    pub from: String,
    pub to: String,
    pub data: String,
    pub tls: bool,
    pub user: Option<String>,
    pub answered: bool,
}

/// A certificate authority of the test's own, and a certificate of it.
pub struct Certificates {
    folder: TempDir,
}

impl Server {
    pub async fn start(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp_server.py");
        let mut child = tokio::process::Command::new(python())
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).await.unwrap();
        let port = line.trim().parse().expect("aiosmtpd is installed, see scripts/install-needs");
        Self { port, questions, answers, _child: child }
    }

    pub async fn encrypted(encryption: &str, certificates: &Certificates, more: &[&str]) -> Self {
        let [certificate, key] = ["leaf.pem", "leaf.key"].map(|name| certificates.path(name));
        let files = ["--certificate", &certificate, "--key", &key];
        Self::start(&[&["--encryption", encryption], files.as_slice(), more].concat()).await
    }

    pub async fn report(&mut self) -> Report {
        self.questions.write_all(b"?\n").await.unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// `before` and `after` stand around the host and the port.
    pub fn transport(&self, before: &str, after: &str, roots: Option<&[u8]>) -> Transport {
        let url = format!("{before}localhost:{}{after}", self.port);
        Transport::smtp(&url, "KeyNest <keynest@keynest.example>", LIMITS, roots).unwrap()
    }

    /// A mailer that sends in clear, as to a relay on the same machine.
    pub async fn mailer(&self, world: &World) -> Consumer {
        world.mailer_by(self.transport("smtp://", "?tls=none", None), true).await
    }
}

impl Report {
    /// Who got a mail and was told so, sorted.
    pub fn delivered(&self) -> Vec<&str> {
        let answered = self.messages.iter().filter(|message| message.answered);
        let mut delivered: Vec<_> = answered.map(|message| message.to.as_str()).collect();
        delivered.sort_unstable();
        delivered
    }
}

impl Message {
    /// The value of a header that stands on one line.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.data.lines().take_while(|line| !line.is_empty());
        let start = format!("{name}: ");
        lines.find_map(|line| line.strip_prefix(start.as_str())).expect("the header is there")
    }
}

impl Certificates {
    /// For a server of this name, good for two days.
    pub fn for_host(host: &str) -> Self {
        let it = Self { folder: tempfile::tempdir().unwrap() };
        let extensions = format!("subjectAltName=DNS:{host}\nbasicConstraints=critical,CA:FALSE\n");
        std::fs::write(it.path("extensions"), extensions).unwrap();
        let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        it.openssl(&format!(
            "req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"
        ));
        it.openssl(&format!("req {new} -keyout leaf.key -out leaf.csr -subj /CN=server"));
        it.openssl(
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 2 -extfile extensions",
        );
        it
    }

    pub fn authority(&self) -> Vec<u8> {
        std::fs::read(self.path("ca.pem")).unwrap()
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn openssl(&self, arguments: &str) {
        let made = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// The Python that has aiosmtpd.
fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/venv/bin/python");
    let python = std::env::var_os("KEYNEST_TEST_PYTHON").map_or(own, PathBuf::from);
    assert!(
        python.exists(),
        "{} is not there: run scripts/install-needs, or name a Python that has aiosmtpd in KEYNEST_TEST_PYTHON",
        python.display()
    );
    python
}
