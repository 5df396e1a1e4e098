//! The private Postgres: started, stopped, killed, left behind, in awkward places.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keynest_cli::embedded::{EmbeddedError, EmbeddedPostgres, create_data_dir};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::running;

/// A folder that the user of Postgres can reach, also when the tests run as root.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("keynest-it.").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        Self(folder)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

async fn connect(postgres: &EmbeddedPostgres) -> PgConnection {
    PgConnection::connect(&postgres.url()).await.unwrap()
}

async fn write_note(postgres: &EmbeddedPostgres) {
    let mut db = connect(postgres).await;
    db.execute("create table notes (body text); insert into notes values ('kept')").await.unwrap();
}

async fn read_note(postgres: &EmbeddedPostgres) -> String {
    let mut db = connect(postgres).await;
    sqlx::query_scalar("select body from notes").fetch_one(&mut db).await.unwrap()
}

async fn setting(postgres: &EmbeddedPostgres, name: &str) -> String {
    let mut db = connect(postgres).await;
    sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&mut db).await.unwrap()
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

fn is_alive(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn am_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Starts the server of a stopped data directory as an earlier keynest without a parent-death signal would have left it.
fn leave_orphan(data: &Path) -> u32 {
    let cluster = fs::canonicalize(data.join("postgres/cluster")).unwrap();
    let owner = fs::metadata(&cluster).unwrap();
    let version = fs::read_to_string(cluster.join("PG_VERSION")).unwrap();
    let pg_ctl = PathBuf::from("/usr/lib/postgresql").join(version.trim()).join("bin/pg_ctl");
    let mut command = if am_root() {
        let mut command = Command::new("setpriv");
        command.args([
            format!("--reuid={}", owner.uid()),
            format!("--regid={}", owner.gid()),
            "--clear-groups".into(),
        ]);
        command.arg(pg_ctl);
        command
    } else {
        Command::new(pg_ctl)
    };
    let options = format!("-c listen_addresses= -c unix_socket_directories={}", cluster.display());
    command.args(["start", "-w", "-s", "-l", "/dev/null", "-o", &options, "-D"]);
    command.arg(&cluster).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
    let file = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    file.lines().next().unwrap().parse().unwrap()
}

/// A process of a server that hears nothing until this is dropped.
struct Deaf(u32);

impl Drop for Deaf {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "CONT", &self.0.to_string()]).status();
    }
}

fn deafen_child_of(server: u32) -> Deaf {
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
        parent == Some(server.to_string().as_str())
    };
    let child = processes().find(is_child).unwrap();
    signal("STOP", child);
    Deaf(child)
}

/// Whether somebody waits for the end of the server of a data directory.
fn is_being_stopped(data: &Path) -> bool {
    let data = data.display().to_string();
    processes().any(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("pg_ctl\0stop\0") && line.contains(&data)
    })
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[tokio::test]
async fn the_first_start_makes_a_database_and_the_second_finds_its_data() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();

    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_durable_and_listens_on_nothing_but_a_private_socket() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    for (name, expected) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
    ] {
        assert_eq!(setting(&postgres, name).await, expected, "{name}");
    }
    let socket_folder = setting(&postgres, "unix_socket_directories").await;
    let mode = fs::metadata(socket_folder.trim_matches('"')).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_is_gone() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    let pid = postgres.pid().unwrap();
    assert!(is_alive(pid));
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(
        !place.data().join("postgres/cluster/postmaster.pid").exists(),
        "it was stopped cleanly"
    );
}

#[tokio::test]
async fn a_server_that_is_killed_is_started_again_with_its_data() {
    let place = Place::new();
    let mut postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    for _ in 0..2 {
        let killed = postgres.pid().unwrap();
        signal("KILL", killed);
        postgres.restarted(killed).await.unwrap();
        assert_eq!(read_note(&postgres).await, "kept");
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_live_orphan_is_stopped_and_replaced() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();
    let orphan = leave_orphan(&place.data());

    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    assert!(!is_alive(orphan));
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn an_orphan_that_is_still_stopping_is_waited_for() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();
    let orphan = leave_orphan(&place.data());
    // One of its processes hears nothing, so that it is still stopping when it is found.
    let deaf = deafen_child_of(orphan);
    signal("INT", orphan);

    let data = place.data();
    let starting = tokio::spawn(async move { EmbeddedPostgres::start(&data).await });
    while !starting.is_finished() && !is_being_stopped(&place.data()) {
        tokio::task::yield_now().await;
    }
    drop(deaf);
    let postgres = starting.await.unwrap().unwrap();
    assert!(!is_alive(orphan));
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_server_left_running_is_waited_for() {
    let place = running::Place::new();
    EmbeddedPostgres::start(&place.data()).await.unwrap().stop().await.unwrap();
    let orphan = leave_orphan(&place.data());
    let deaf = deafen_child_of(orphan);
    signal("KILL", orphan);

    let mut keynest = place.keynest(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(keynest.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("waiting for processes of an earlier run to end")));
    drop(deaf);
    assert!(lines.any(|line| line.contains("KeyNest is ready")));
    signal("TERM", keynest.id());
    assert!(keynest.wait().unwrap().success());
}

#[tokio::test]
async fn a_pid_file_from_before_a_power_cut_does_not_stop_the_start() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();
    let orphan = leave_orphan(&place.data());
    let file = place.data().join("postgres/cluster/postmaster.pid");
    let left = fs::read_to_string(&file).unwrap();
    signal("KILL", orphan);

    // The number now belongs to a program of the same user that has nothing to do with us.
    let stranger = stranger_of(&file);
    fs::write(&file, left.replacen(&orphan.to_string(), &stranger.0.id().to_string(), 1)).unwrap();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    assert!(is_alive(stranger.0.id()), "nobody else's process is touched");
    postgres.stop().await.unwrap();
}

/// A process that ends with the test, also when the test fails.
struct Stranger(std::process::Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn stranger_of(file: &Path) -> Stranger {
    let owner = fs::metadata(file).unwrap();
    let mut command = Command::new("setpriv");
    if am_root() {
        command.args([
            format!("--reuid={}", owner.uid()),
            format!("--regid={}", owner.gid()),
            "--clear-groups".into(),
        ]);
    }
    Stranger(
        command.args(["sleep", "600"]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap(),
    )
}

#[tokio::test]
async fn a_second_keynest_on_the_same_data_is_refused() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    let pid = postgres.pid();
    let refused = EmbeddedPostgres::start(&place.data()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::InUse { .. }), "{refused:?}");
    assert_eq!(postgres.pid(), pid);
    assert_eq!(setting(&postgres, "fsync").await, "on", "the first one was not disturbed");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_first_start_leaves_nothing_half_made() {
    let place = Place::new();
    let unfinished = place.data().join("postgres/cluster.new");
    create_data_dir(&place.data()).unwrap();
    fs::create_dir(place.data().join("postgres")).unwrap();
    fs::set_permissions(place.data().join("postgres"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();

    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    assert!(!unfinished.exists());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn blanks_quotes_commas_and_length_of_the_path_do_not_matter() {
    let place = Place::new();
    for name in ["with blank, comma and \"quote\" + ü%", &"long".repeat(40)] {
        let data = place.0.path().join(name).join("data");
        let postgres = EmbeddedPostgres::start(&data).await.unwrap();
        write_note(&postgres).await;
        assert_eq!(read_note(&postgres).await, "kept", "{name}");
        postgres.stop().await.unwrap();
    }
}

/// Root's home is such a folder; there, the database goes where the user of Postgres can reach it.
#[tokio::test]
async fn a_data_directory_below_a_private_folder_works() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();

    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    let home = fs::canonicalize(place.data().join("postgres")).unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
    fs::remove_dir_all(home).unwrap();
}

#[tokio::test]
async fn a_link_to_a_database_that_is_missing_is_no_reason_to_make_an_empty_one() {
    let place = Place::new();
    create_data_dir(&place.data()).unwrap();
    std::os::unix::fs::symlink(place.0.path().join("elsewhere"), place.data().join("postgres"))
        .unwrap();
    let refused = EmbeddedPostgres::start(&place.data()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::Dangling { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_refused() {
    let place = Place::new();
    let postgres = EmbeddedPostgres::start(&place.data()).await.unwrap();
    postgres.stop().await.unwrap();
    fs::write(place.data().join("postgres/cluster/PG_VERSION"), "9\n").unwrap();
    let refused = EmbeddedPostgres::start(&place.data()).await.unwrap_err();
    assert!(
        matches!(&refused, EmbeddedError::WrongVersion { needed, .. } if needed == "9"),
        "{refused:?}"
    );
}
