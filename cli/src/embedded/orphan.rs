//! What an earlier run left behind: a server that still runs or is stopping, or a stale pid file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::binaries::Binaries;
use super::cluster::run;
use super::error::EmbeddedError;
use super::home::Home;

/// How long a fast stop may take (it writes a checkpoint) before the server is stopped at once, to recover from its log.
const FAST_STOP_SECONDS_MAX: u32 = 60;
const IMMEDIATE_STOP_SECONDS_MAX: u32 = 15;
const PROCESSES_WAIT_MAX: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Leaves the cluster without any process of an earlier run. We hold the lock, so no other keynest wants that server.
pub(super) fn clear(home: &Home, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let cluster = home.cluster.as_path();
    let mut stopped = Ok(());
    if let Some(pid) = postmaster(cluster).filter(|pid| works_in(*pid, cluster)) {
        tracing::warn!(pid, "stopping the PostgreSQL server of an earlier run");
        // It may have been stopping already, and be gone before it is told: that is looked at below.
        stopped = stop(home, binaries);
    }
    // The helpers of a server that was killed end by themselves, a moment later; a new server refuses to start before.
    let deadline = Instant::now() + PROCESSES_WAIT_MAX;
    let mut is_noticed = false;
    loop {
        let pids = users_of(cluster);
        if pids.is_empty() {
            break;
        }
        if !is_noticed {
            tracing::info!(?pids, "waiting for processes of an earlier run to end");
            is_noticed = true;
        }
        if Instant::now() > deadline {
            return stopped.and(Err(EmbeddedError::Orphan { cluster: cluster.into(), pids }));
        }
        thread::sleep(POLL_INTERVAL);
    }
    remove_misleading_pid_file(cluster)
}

/// Stops the server of this cluster: fast, and if that takes too long, immediately.
pub(super) fn stop(home: &Home, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let pg_ctl = |mode: &str, seconds: u32| {
        let mut command = home.account.command(&binaries.program("pg_ctl"));
        command.arg("stop").arg("-D").arg(&home.cluster).args([
            "-m",
            mode,
            "-w",
            "-t",
            &seconds.to_string(),
        ]);
        run("pg_ctl", command)
    };
    pg_ctl("fast", FAST_STOP_SECONDS_MAX)
        .or_else(|_| pg_ctl("immediate", IMMEDIATE_STOP_SECONDS_MAX))
}

/// The process id in the first line of `postmaster.pid`.
fn postmaster(cluster: &Path) -> Option<u32> {
    fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Every process of a server has the cluster as its working directory, and nothing else has.
fn works_in(pid: u32, cluster: &Path) -> bool {
    fs::read_link(PathBuf::from(format!("/proc/{pid}/cwd"))).is_ok_and(|cwd| cwd == cluster)
}

fn users_of(cluster: &Path) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| works_in(*pid, cluster)).collect()
}

/// After a crash of the machine the number in the file may belong to any program, and Postgres would not start for its sake.
/// Every other stale file is left to Postgres, which knows best.
fn remove_misleading_pid_file(cluster: &Path) -> Result<(), EmbeddedError> {
    let file = cluster.join("postmaster.pid");
    let is_taken =
        postmaster(cluster).is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists());
    if is_taken {
        tracing::warn!(file = %file.display(), "removing a stale file: its process id belongs to another program now");
        fs::remove_file(&file).map_err(EmbeddedError::file("cannot remove", file))?;
    }
    Ok(())
}
