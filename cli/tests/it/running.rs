//! `keynest serve` as a process of its own, on a free port, in a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// A folder that the user of Postgres can reach, also when the tests run as root.
pub struct Place {
    folder: tempfile::TempDir,
    /// Every line that any process of this place has logged.
    pub log: Arc<Mutex<String>>,
}

/// A running product. Dropped: killed.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    pub client: Client,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("keynest-it.").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        Self { folder, log: Arc::default() }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The command with the configuration of this place, and with nothing else from the environment.
    pub fn keynest(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keynest"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KEYNEST_DATA_DIR", self.data())
            .env("KEYNEST_HTTP_LISTEN", "127.0.0.1:0")
            .env("KEYNEST_LOG_FORMAT", "json")
            .env("KEYNEST_THROTTLE_REGISTER_PER_MINUTE", "1000")
            .env("KEYNEST_THROTTLE_AUTH_PER_MINUTE", "1000")
            .current_dir(self.folder.path());
        command
    }

    /// Runs a subcommand to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.keynest(arguments).output().unwrap()
    }

    /// Starts `serve` and waits until it says that it is ready.
    pub fn serve(&self) -> Running {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, variables: &[(&str, &str)]) -> Running {
        self.start("serve", variables)
    }

    /// Starts a part of the product; one without an API has no address.
    pub fn start(&self, part: &str, variables: &[(&str, &str)]) -> Running {
        let mut command = self.keynest(&[part]);
        command.envs(variables.iter().copied());
        self.start_by(command)
    }

    /// The same by a command that the caller has put together.
    pub fn start_by(&self, command: Command) -> Running {
        self.begin(command).until_ready()
    }

    /// Starts it, so that something else can be started before it is ready.
    pub fn begin(&self, mut command: Command) -> Starting {
        command.stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Starting { child, lines, log: Arc::clone(&self.log) }
    }
}

/// Started, and not ready yet.
pub struct Starting {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    log: Arc<Mutex<String>>,
}

impl Starting {
    pub fn until_ready(mut self) -> Running {
        let address = loop {
            let Some(line) = self.lines.next().map(Result::unwrap) else {
                let said = self.log.lock().unwrap().clone();
                panic!("keynest ended before it was ready:\n{said}");
            };
            self.log.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some(address) = ready(&line) {
                break address;
            }
        };
        let (rest, lines) = (self.log, self.lines);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Running { child: self.child, address, client: Client::new() }
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Response {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// Calls, expects a status, reads the JSON.
    pub async fn json(
        &self,
        status: u16,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Value {
        let answer = self.call(method, path, token, body).await;
        let seen = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(seen, status, "{path}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// `kill -9` of the whole process group.
    pub fn kill_group(mut self) {
        signal("KILL", &format!("-{}", self.pid()));
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub fn stop(mut self) -> Option<i32> {
        signal("TERM", &self.pid().to_string());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = || line["listen"].as_str().unwrap_or("0.0.0.0:0").parse().unwrap();
    (line["message"] == "KeyNest is ready").then(address)
}

pub fn signal(name: &str, target: &str) {
    assert!(Command::new("kill").args(["-s", name, "--", target]).status().unwrap().success());
}

/// All bytes of all files below a folder that this user may read.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
