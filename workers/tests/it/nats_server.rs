//! A `nats-server` of a test's own: a process, a free port, a temporary folder.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Killed when it is dropped.
pub struct NatsServer {
    child: Child,
    folder: TempDir,
    address: &'static str,
    port: u16,
    name: String,
}

impl NatsServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1", arguments)
    }

    pub fn start_at(address: &'static str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (child, port) = run(&folder, address, -1, arguments);
        Self { child, folder, address, port, name: String::new() }
    }

    /// Three that know each other.
    pub fn start_cluster() -> [Self; 3] {
        // Each is told of the others before they are there, so the ports are to be known.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let routes = held.map(|it| format!("nats://{}", it.local_addr().unwrap()));
        let all = routes.join(",");
        let mut number = 0;
        routes.map(|route| {
            number += 1;
            let name = format!("server{number}");
            let arguments =
                ["--cluster_name", "three", "--cluster", &route, "--routes", &all, "-n", &name];
            let mut server = Self::start_with(&arguments);
            server.name = name;
            server
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// On the same port, over what it had stored.
    pub fn restart(&mut self) {
        self.kill();
        self.child = run(&self.folder, self.address, self.port.into(), &[]).0;
    }

    /// On the same port, with nothing.
    pub fn restart_empty(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.folder.path().join("jetstream")).unwrap();
        self.child = run(&self.folder, self.address, self.port.into(), &[]).0;
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Until it is ready. Port -1: a free one.
fn run(folder: &TempDir, address: &str, port: i32, arguments: &[&str]) -> (Child, u16) {
    // It ends with the thread that started it, however that one ends.
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program())
        .args(["-a", address, "-p", &port.to_string(), "-js", "-sd"])
        .arg(folder.path())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nats-server is installed, see scripts/install-needs");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let (mut found, mut said) = (None, String::new());
    for line in lines.by_ref() {
        if let Some((_, address)) = line.split_once("Listening for client connections on ") {
            found = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        }
        if line.ends_with("Server is ready") {
            break;
        }
        said.push_str(&format!("\n{line}"));
    }
    std::thread::spawn(move || lines.for_each(drop));
    (child, found.unwrap_or_else(|| panic!("the server says where it listens:{said}")))
}

fn program() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/venv/bin/nats-server");
    if own.exists() { own } else { "nats-server".into() }
}
