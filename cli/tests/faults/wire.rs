//! The wires between the processes and what they need: each process has an address of its own for each of them, so that
//! one wire can be cut and the others are not.
//!
//! In a network namespace of the test's own (`unshare`) a cut is a rule that drops packets: nobody hears anything, nobody is
//! told. Where the machine does not allow that, the wires lead through proxies in this process, which hold what they
//! are given while their wire is cut; connections are then accepted and stay silent, which is the difference.

use std::collections::HashMap;
use std::env;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const INSIDE: &str = "KEYNEST_FAULTS_NAMESPACE";

/// What a process is wired to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Postgres,
    Nats,
    Mail,
}

/// Which way nothing gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    No,
    Both,
    /// What the process says arrives, and the answers do not.
    Answers,
    /// Both ends are told at once that the connection is gone, in the middle of what they say; new ones are refused.
    Reset,
}

pub enum Wires {
    Namespace(HashMap<Target, u16>),
    Proxies(HashMap<(usize, Target), (SocketAddr, watch::Sender<Cut>)>, HashMap<Target, u16>),
}

impl Wires {
    /// For so many processes, to the ports of what they need.
    pub async fn lay(processes: usize, ports: HashMap<Target, u16>) -> Self {
        if is_inside() {
            return Self::Namespace(ports);
        }
        let mut wires = HashMap::new();
        for process in 0..processes {
            for (&target, &port) in &ports {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let (address, cut) = (listener.local_addr().unwrap(), watch::Sender::new(Cut::No));
                tokio::spawn(relay(listener, port, cut.clone()));
                wires.insert((process, target), (address, cut));
            }
        }
        Self::Proxies(wires, ports)
    }

    /// Where a process finds a target.
    pub fn address(&self, process: usize, target: Target) -> SocketAddr {
        match self {
            Self::Namespace(ports) => (host(process, target), ports[&target]).into(),
            Self::Proxies(wires, _) => wires[&(process, target)].0,
        }
    }

    /// Where a target itself listens.
    pub fn port(&self, target: Target) -> u16 {
        match self {
            Self::Namespace(ports) | Self::Proxies(_, ports) => ports[&target],
        }
    }

    pub fn cut(&self, process: usize, target: Target, cut: Cut) {
        match self {
            Self::Namespace(_) => {
                let [a, b, c, d] = host(process, target);
                let rule = |field: &str, verdict: &str| {
                    let packets = format!("ip {field} {a}.{b}.{c}.{d} {verdict}");
                    nft(&format!("add rule inet faults wire {packets}"));
                };
                match cut {
                    Cut::No => {}
                    Cut::Both => ["daddr", "saddr"].iter().for_each(|field| rule(field, "drop")),
                    Cut::Answers => rule("saddr", "drop"),
                    Cut::Reset => ["daddr", "saddr"].iter().for_each(|field| {
                        rule(field, "meta l4proto tcp reject with tcp reset");
                    }),
                }
            }
            Self::Proxies(wires, _) => drop(wires[&(process, target)].1.send_replace(cut)),
        }
    }

    pub fn mend_all(&self) {
        match self {
            Self::Namespace(_) => nft("flush chain inet faults wire"),
            Self::Proxies(wires, _) => wires.values().for_each(|(_, cut)| {
                cut.send_replace(Cut::No);
            }),
        }
    }

    /// Where the servers listen.
    pub fn listen() -> &'static str {
        if is_inside() { "0.0.0.0" } else { "127.0.0.1" }
    }
}

fn host(process: usize, target: Target) -> [u8; 4] {
    [127, 1, u8::try_from(process).unwrap(), target as u8 + 1]
}

fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

fn nft(line: &str) {
    let done = Command::new("nft").env("PATH", path()).args(line.split(' ')).output().unwrap();
    assert!(done.status.success(), "nft {line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Where ordinary users do not look, and what is needed here is.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default())
}

/// Runs this test once more in a network namespace of its own, if there can be one; whether it did, and passed.
pub fn moved_into_namespace(test: &str) -> bool {
    if is_inside() {
        nft("add table inet faults");
        nft("add chain inet faults wire { type filter hook output priority 0 ; }");
        return false;
    }
    // Root keeps its users, which Postgres needs; anybody else is alone in a user namespace.
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let users: &[&str] = if is_root { &[] } else { &["--map-current-user", "--keep-caps"] };
    let alone = [&["--pdeathsig", "KILL", "--", "unshare", "--net"], users].concat();
    let up = r#"ip link set lo up && nft add table inet probe && exec "$@""#;
    let inside = |program: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(&alone).args(["--", "sh", "-c", up, "sh"]).args(program);
        command.env("PATH", path()).env(INSIDE, "1");
        command
    };
    let probe = inside(&["true"]).output().unwrap();
    if !probe.status.success() {
        let why = String::from_utf8_lossy(&probe.stderr);
        println!("NO NETWORK NAMESPACE HERE ({}): partitions are made by proxies.", why.trim());
        return false;
    }
    let own = env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let status = inside(&[own, "--exact", test, "--nocapture"]).status().unwrap();
    assert!(status.success(), "in the namespace: {status}");
    true
}

async fn relay(listener: TcpListener, port: u16, cut: watch::Sender<Cut>) {
    while let Ok((near, _)) = listener.accept().await {
        let cut = cut.clone();
        tokio::spawn(async move {
            let mut state = cut.subscribe();
            if state
                .wait_for(|cut| [Cut::No, Cut::Reset].contains(cut))
                .await
                .is_ok_and(|cut| *cut == Cut::Reset)
            {
                return;
            }
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let (near_reader, near_writer) = near.into_split();
            let (far_reader, far_writer) = far.into_split();
            let there = forward(near_reader, far_writer, cut.subscribe(), &[Cut::Both]);
            let back =
                forward(far_reader, near_writer, cut.subscribe(), &[Cut::Both, Cut::Answers]);
            // Whoever leaves takes the other side along, as the end of a real connection does.
            tokio::select! {
                () = there => {}
                () = back => {}
                _ = state.wait_for(|cut| *cut == Cut::Reset) => {}
            }
        });
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut cut: watch::Receiver<Cut>,
    held: &[Cut],
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if cut.wait_for(|cut| !held.contains(cut)).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
