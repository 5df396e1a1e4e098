//! The database cluster on disk: made once, completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::home::Home;

const OUTPUT_CHARS_MAX: usize = 2_000;
/// What may be changed in the cluster's `postgresql.conf`. What may not be changed is on the command line (`server.rs`).
const SETTINGS: &str = "
# KeyNest
shared_buffers = 64MB
max_connections = 100
max_wal_size = 1GB
jit = off
log_min_messages = warning
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Makes the cluster if there is none, and returns the binaries that fit it.
pub(super) fn ensure(home: &Home) -> Result<Binaries, EmbeddedError> {
    if home.cluster.is_dir() {
        home.account.own_all(&home.cluster)?;
        return Binaries::for_cluster(&home.cluster);
    }
    let binaries = Binaries::newest()?;
    tracing::info!(cluster = %home.cluster.display(), "creating the database");
    create(home, &binaries)?;
    Ok(binaries)
}

fn create(home: &Home, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let folder = home.unfinished.as_path();
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(EmbeddedError::file("cannot remove the unfinished", folder))?;
    }
    fs::create_dir(folder).map_err(EmbeddedError::file("cannot create", folder))?;
    home.account.own(folder)?;
    let mut initdb = home.account.command(&binaries.program("initdb"));
    initdb.arg("--pgdata").arg(folder);
    // `trust`, because the only way in is a socket in a folder that nobody else can enter.
    initdb.args([
        "--username=keynest",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]);
    run("initdb", initdb)?;

    let file = folder.join("postgresql.conf");
    let appended = OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut conf| conf.write_all(SETTINGS.as_bytes()));
    appended.map_err(EmbeddedError::file("cannot write", &file))?;
    create_database(home, binaries, folder)?;

    fs::rename(folder, &home.cluster).map_err(EmbeddedError::file("cannot rename", folder))?;
    let parent = home.cluster.parent().unwrap_or(Path::new("/"));
    File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(EmbeddedError::file("cannot sync", parent))
}

/// In single-user mode, so that the cluster is complete before anybody can connect.
fn create_database(home: &Home, binaries: &Binaries, folder: &Path) -> Result<(), EmbeddedError> {
    let program = binaries.program("postgres");
    let mut command = home.account.command(&program);
    command.args(["--single", "-j", "-c", "exit_on_error=on", "-D"]).arg(folder).arg("postgres");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let failed = |source| EmbeddedError::Spawn { program: program.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let written = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(b"create database keynest;\n\n"));
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() || written.is_err() {
        return Err(EmbeddedError::Failed {
            program: "postgres --single",
            output: last_chars(&output.stderr),
        });
    }
    Ok(())
}

/// Runs a program of Postgres to its end.
pub(super) fn run(program: &'static str, mut command: Command) -> Result<(), EmbeddedError> {
    let output = command
        .output()
        .map_err(|source| EmbeddedError::Spawn { program: command.get_program().into(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(EmbeddedError::Failed {
        program,
        output: last_chars(&[output.stdout, output.stderr].concat()),
    })
}

fn last_chars(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let skipped = text.chars().count().saturating_sub(OUTPUT_CHARS_MAX);
    text.chars().skip(skipped).collect::<String>().trim().replace('\n', " | ")
}
