//! The official clients of other languages, as programs of their own; each tells which of its journeys passed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::future::BoxFuture;
use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};

use crate::server::in_postgres;

/// How the log is opened, once per life of the server.
type Open = Box<dyn Fn() -> BoxFuture<'static, EventStore> + Send + Sync>;

/// A server with threads of its own, which can be killed with all that it was doing.
struct Killable {
    open: Open,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Killable {
    async fn start(open: Open) -> Self {
        let mut server = Self { open, address: ([127, 0, 0, 1], 0).into(), runtime: None };
        server.run().await;
        server
    }

    async fn run(&mut self) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (opening, address) = ((self.open)(), self.address);
        let listening = runtime.spawn(async move {
            let store = opening.await;
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(serve(store, listener, std::future::pending()));
            address
        });
        self.address = listening.await.unwrap();
        self.runtime = Some(runtime);
    }

    async fn kill(&mut self) {
        let runtime = self.runtime.take().unwrap();
        let ending = move || runtime.shutdown_timeout(Duration::from_secs(10));
        tokio::task::spawn_blocking(ending).await.unwrap();
    }
}

/// The journeys that passed. Kills the server in the middle of the one that asks for it.
async fn run(program: PathBuf, folder: &str, script: &str, open: Open) -> Vec<String> {
    let mut server = Killable::start(open).await;
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut client = Command::new(&program)
        .current_dir(tools(folder))
        .arg(here.join(script))
        .arg(server.address.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{}: {error}; run `scripts/install-needs test`", program.display())
        });
    let mut said = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut tell = client.stdin.take().unwrap();
    let mut passed = Vec::new();
    while let Some(line) = said.next_line().await.unwrap() {
        match line.split_once(' ') {
            Some(("passed", journey)) => passed.push(journey.to_owned()),
            None if line == "restart" => {
                server.kill().await;
                server.run().await;
                tell.write_all(b"restarted\n").await.unwrap();
            }
            Some(_) | None => panic!("the client said {line}"),
        }
    }
    assert!(client.wait().await.unwrap().success(), "after {passed:?}");
    server.kill().await;
    passed
}

fn tools(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools").join(path)
}

/// Node where the client's packages are; its own where the machine has none.
fn node() -> PathBuf {
    let own = tools("test-clients/bin/node");
    if own.exists() { own } else { "node".into() }
}

fn memory() -> Open {
    let store = EventStore::memory();
    Box::new(move || Box::pin(std::future::ready(store.clone())))
}

fn postgres(pool: PgPool) -> Open {
    let connect = pool.connect_options();
    Box::new(move || {
        let connect = (*connect).clone();
        Box::pin(async move { in_postgres(&PgPool::connect_lazy_with(connect)).await })
    })
}

#[tokio::test]
async fn the_python_client_over_memory() {
    let passed = run(tools("venv/bin/python"), "venv", "python_client.py", memory()).await;
    assert_eq!(passed.len(), 12, "{passed:?}");
}

#[sqlx::test(migrations = false)]
async fn the_python_client_over_postgres(pool: PgPool) {
    let passed = run(tools("venv/bin/python"), "venv", "python_client.py", postgres(pool)).await;
    assert_eq!(passed.len(), 12, "{passed:?}");
}

#[tokio::test]
async fn the_node_client_over_memory() {
    let passed = run(node(), "test-clients", "node_client.mjs", memory()).await;
    assert_eq!(passed.len(), 9, "{passed:?}");
}

#[sqlx::test(migrations = false)]
async fn the_node_client_over_postgres(pool: PgPool) {
    let passed = run(node(), "test-clients", "node_client.mjs", postgres(pool)).await;
    assert_eq!(passed.len(), 9, "{passed:?}");
}
