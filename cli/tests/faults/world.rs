//! Everything that runs: a Postgres, a NATS and a mail server of this test's own, and two of each process of the product.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::actors::PASSWORD;
use crate::caller::{Balancer, Caller};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::ledger::{Ledger, What};
use crate::nats_server::NatsServer;
use crate::running::{Place, Running};
use crate::server::{Server, Setup};
use crate::settings::Settings;
use crate::sink::Sink;
use crate::wire::{Target, Wires};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Api,
    Project,
    Work,
}

const ROLES: [Role; 6] =
    [Role::Api, Role::Api, Role::Project, Role::Project, Role::Work, Role::Work];

impl Role {
    pub fn command(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Project => "project",
            Self::Work => "work",
        }
    }
}

/// A place for a process, which may be killed and started again.
pub struct Slot {
    pub role: Role,
    /// Where it tells its metrics; an API does so where it listens.
    pub metrics: SocketAddr,
    /// What it is started with beside what all have; for the next start.
    pub extra: Vec<(&'static str, String)>,
    /// It is not ready, so nobody is sent there.
    pub is_out: bool,
    running: Option<Running>,
}

impl Slot {
    fn new(role: Role) -> Self {
        let metrics: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let own = ("KEYNEST_HTTP_METRICS_LISTEN", metrics.to_string());
        let extra = if role == Role::Api { Vec::new() } else { vec![own] };
        Self { role, metrics, extra, is_out: false, running: None }
    }
}

/// Something that may have come between a mail and the note that it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Disturbance {
    pub at: Instant,
}

pub struct World {
    pub settings: Settings,
    pub dice: Dice,
    pub place: Place,
    pub server: Server,
    /// What the server has.
    pub disk: Disk,
    pub wires: Wires,
    pub nats: NatsServer,
    pub sink: Sink,
    pub balancer: Balancer,
    pub ledger: Ledger,
    pub slots: Vec<Slot>,
    /// For the checker, straight to the socket of the server, where no fault stands in between.
    pub db: PgPool,
    pub disturbances: Vec<Disturbance>,
    /// Who registered for the sake of a mail.
    newcomers: usize,
    /// The token of somebody, and an environment of theirs that nobody else works in.
    pub racing: Option<(String, i64)>,
    /// Most memory that any process had, in MiB.
    pub memory_max: u64,
    /// Most threads and most open files that any process had.
    pub threads_max: u64,
    pub files_max: u64,
}

impl World {
    pub async fn start(settings: Settings) -> Self {
        let port = free_port();
        let listen = format!("listen_addresses={}", Wires::listen());
        let arguments = ["-c", "max_connections=500", "-c", &listen].map(str::to_owned).into();
        let disk = Disk::new();
        let setup = Setup { port: Some(port), arguments, variables: disk.variables() };
        let server = Server::start_with(setup).await;
        let db = PgPoolOptions::new().max_connections(4).connect_lazy(&server.url()).unwrap();
        let dice = Dice::new(settings.seed);
        let (nats, sink) = (NatsServer::start_at(Wires::listen(), &[]), Sink::start().await);
        let ports =
            [(Target::Postgres, port), (Target::Nats, nats.port()), (Target::Mail, sink.port)];
        let wires = Wires::lay(ROLES.len(), ports.into()).await;
        let mut world = Self {
            settings,
            dice,
            place: Place::new(),
            server,
            disk,
            wires,
            nats,
            sink,
            balancer: Balancer::default(),
            ledger: Ledger::default(),
            slots: ROLES.map(Slot::new).into(),
            db,
            disturbances: Vec::new(),
            newcomers: 0,
            threads_max: 0,
            files_max: 0,
            racing: None,
            memory_max: 0,
        };
        let migrated = world.command(&["migrate"]).output().unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let all: Vec<usize> = (0..world.slots.len()).collect();
        world.revive_all(&all);
        world
    }

    /// A subcommand beside the processes, straight at the database.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.keynest(arguments);
        command.env("DATABASE_URL", self.server.url());
        dies_with_us(&command)
    }

    /// A process in its place, with its own wires.
    fn process(&self, slot: usize) -> Command {
        let mut command = self.place.keynest(&[self.slots[slot].role.command()]);
        command.envs(self.variables(slot)).envs(self.slots[slot].extra.clone());
        dies_with_us(&command)
    }

    fn variables(&self, slot: usize) -> Vec<(&'static str, String)> {
        let wire = |target| self.wires.address(slot, target);
        let mut variables = vec![
            ("DATABASE_URL", format!("postgres://postgres@{}/postgres", wire(Target::Postgres))),
            ("KEYNEST_NATS_URL", format!("nats://{}", wire(Target::Nats))),
            ("KEYNEST_SMTP_URL", format!("smtp://{}?tls=none", wire(Target::Mail))),
            ("KEYNEST_SMTP_TIMEOUT_MS", "2000".to_owned()),
            // Shorter than people wait, so that a cut wire outlasts what the product waits for.
            ("KEYNEST_DATABASE_STATEMENT_TIMEOUT_MS", "3000".to_owned()),
            ("KEYNEST_DATABASE_ACQUIRE_TIMEOUT_MS", "2000".to_owned()),
            // Longer than anybody asks whether it holds.
            ("KEYNEST_LOCKOUT_COOL_OFF_SECONDS", "600".to_owned()),
            // What is not of interest here is not waited for.
            ("KEYNEST_LOG_LEVEL", "warn,keynest_cli=info".to_owned()),
            ("KEYNEST_NATS_POLL_MS", "1000".to_owned()),
            ("KEYNEST_NATS_HEARTBEAT_MS", "1000".to_owned()),
        ];
        let unlimited = [
            "KEYNEST_THROTTLE_ANONYMOUS_PER_HOUR",
            "KEYNEST_THROTTLE_AUTH_PER_MINUTE",
            "KEYNEST_THROTTLE_ORGANIZATION_PER_HOUR",
            "KEYNEST_THROTTLE_REGISTER_PER_MINUTE",
            "KEYNEST_THROTTLE_SIGN_IN_PER_MINUTE",
            "KEYNEST_THROTTLE_USER_PER_HOUR",
        ];
        variables.extend(unlimited.map(|name| (name, "0".to_owned())));
        variables
    }

    /// Another API, which reaches Postgres at an address that the caller made.
    pub fn start_beside(&self, postgres: std::net::SocketAddr) -> Running {
        let mut command = self.place.keynest(&["api"]);
        command.envs(self.variables(0));
        command.env("DATABASE_URL", format!("postgres://postgres@{postgres}/postgres"));
        self.place.start_by(dies_with_us(&command))
    }

    /// It has died, or does now.
    pub fn killed_beside(&mut self, running: Running) {
        self.ledger.open().kills += 1;
        drop(running);
    }

    /// Starts what is not running in this place, and waits until it is ready.
    pub fn revive(&mut self, slot: usize) {
        self.revive_all(&[slot]);
    }

    /// The same for several at once.
    pub fn revive_all(&mut self, slots: &[usize]) {
        let dead = slots.iter().filter(|slot| self.slots[**slot].running.is_none());
        let starting: Vec<_> =
            dead.map(|slot| (*slot, self.place.begin(self.process(*slot)))).collect();
        for (slot, starting) in starting {
            self.slots[slot].running = Some(starting.until_ready());
        }
        self.balance();
    }

    /// Somebody registers, whom a mail must reach.
    pub async fn newcomer(&mut self) {
        self.newcomers += 1;
        let name = format!("newcomer{}", self.newcomers);
        let account = json!({"username": name, "email": format!("{name}@example.com"),
            "password": PASSWORD, "confirm_password": PASSWORD, "first_name": "", "last_name": ""});
        let mut caller = Caller::new(&name, &self.balancer, &self.ledger);
        let path = "/api/auth/register/";
        let answer = caller.change(What::Register, Method::POST, path, &account).await;
        assert!(answer.is_ok(), "{answer:?}");
    }

    /// `kill -9`.
    pub fn kill(&mut self, slot: usize) {
        self.note_memory();
        self.disturb();
        if let Some(running) = self.slots[slot].running.take() {
            self.ledger.open().kills += 1;
            running.kill_group();
        }
        self.balance();
    }

    /// Notes that a mail may be sent again.
    pub fn disturb(&mut self) {
        self.disturbances.push(Disturbance { at: Instant::now() });
    }

    pub fn balance(&self) {
        let apis = self.slots.iter().filter(|slot| slot.role == Role::Api && !slot.is_out);
        let running = apis.filter_map(|slot| slot.running.as_ref());
        self.balancer.set(running.map(|running| running.address).collect());
    }

    /// What each process has of memory, threads and files.
    pub fn note_memory(&mut self) {
        for running in self.slots.iter().filter_map(|slot| slot.running.as_ref()) {
            let folder = format!("/proc/{}", running.pid());
            let status = std::fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
            let number = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
                number.unwrap_or(0_u64)
            };
            self.memory_max = self.memory_max.max(number("VmHWM:") / 1024);
            self.threads_max = self.threads_max.max(number("Threads:"));
            let files = std::fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count);
            self.files_max = self.files_max.max(files as u64);
        }
    }

    /// Where an API listens that runs.
    pub fn address(&self, slot: usize) -> SocketAddr {
        self.slots[slot].running.as_ref().expect("it runs").address
    }

    /// A number that each process of a kind without an API tells, by its name and labels; one that was never told is 0.
    pub async fn metrics(&self, role: Role, name: &str) -> Vec<f64> {
        let mut told = Vec::new();
        for slot in self.slots.iter().filter(|slot| slot.role == role) {
            let answer = reqwest::get(format!("http://{}/metrics/", slot.metrics)).await.unwrap();
            let text = answer.text().await.unwrap();
            let value = text.lines().find_map(|it| it.strip_prefix(name)?.trim().parse().ok());
            told.push(value.unwrap_or(0.0));
        }
        told
    }

    /// Of a process that runs.
    pub fn pid(&self, slot: usize) -> u32 {
        self.slots[slot].running.as_ref().expect("it runs").pid()
    }
}

/// The same command, whose process is killed with the thread that started it.
pub fn dies_with_us(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
    wrapped.args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            wrapped.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
