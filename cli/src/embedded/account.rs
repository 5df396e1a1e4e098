//! The user that the server runs as: ourselves, or, since Postgres refuses root, one without rights.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::EmbeddedError;

const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
const SETPRIV: [&str; 3] = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/sbin/setpriv"];
const ROOT: u32 = 0;

/// Who runs the programs of Postgres.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// User and group id to change to; `None`: run as the user we are.
    dropped: Option<(u32, u32)>,
    setpriv: Option<PathBuf>,
}

impl Account {
    /// For a cluster that exists: its owner. For a new one: ourselves, or, as root, `postgres` or `nobody`.
    pub(super) fn choose(cluster: &Path) -> Result<Self, EmbeddedError> {
        let me = own_uid()?;
        let setpriv = SETPRIV.iter().map(PathBuf::from).find(|path| path.is_file());
        let owner = fs::metadata(cluster).ok().map(|metadata| (metadata.uid(), metadata.gid()));
        let dropped = match owner {
            _ if me != ROOT => None,
            Some((uid, gid)) if uid != ROOT => Some((uid, gid)),
            _ => Some(
                UNPRIVILEGED
                    .iter()
                    .find_map(|name| look_up(name))
                    .ok_or(EmbeddedError::NoAccount)?,
            ),
        };
        if let Some((owner, _)) = owner.filter(|(uid, _)| me != ROOT && *uid != me) {
            return Err(EmbeddedError::NotOwner { cluster: cluster.into(), owner });
        }
        if dropped.is_some() && setpriv.is_none() {
            return Err(EmbeddedError::NoSetpriv);
        }
        Ok(Self { dropped, setpriv })
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.is_some()
    }

    /// A command that runs as this user, with an environment of its own (no `PG*` variable changes what it does), in a
    /// process group of its own (so that Ctrl-C reaches us and not the server), and without our input.
    pub(super) fn command(&self, program: &Path) -> Command {
        self.build(program, false)
    }

    /// The same, and the program gets SIGINT when the *thread* that started it ends. `setpriv` sets this after it changed
    /// the user, since changing the user clears it.
    pub(super) fn command_that_dies_with_us(&self, program: &Path) -> Command {
        self.build(program, true)
    }

    fn build(&self, program: &Path, dies_with_us: bool) -> Command {
        let mut command = match &self.setpriv {
            Some(setpriv) if dies_with_us || self.is_dropped() => {
                let mut command = Command::new(setpriv);
                if let Some((uid, gid)) = self.dropped {
                    command.args([
                        format!("--reuid={uid}"),
                        format!("--regid={gid}"),
                        "--clear-groups".into(),
                    ]);
                }
                if dies_with_us {
                    command.args(["--pdeathsig", "INT"]);
                }
                command.arg("--").arg(program);
                command
            }
            _ => Command::new(program),
        };
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        command
    }

    /// Makes the path belong to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Some((uid, gid)) = self.dropped else { return Ok(()) };
        lchown(path, Some(uid), Some(gid))
            .map_err(EmbeddedError::file("cannot change the owner of", path))
    }

    /// Makes a folder and all in it belong to this user, unless the folder does already.
    pub(super) fn own_all(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let Some((uid, _)) = self.dropped else { return Ok(()) };
        let read = |path: &Path| {
            fs::symlink_metadata(path).map_err(EmbeddedError::file("cannot read", path))
        };
        if read(folder)?.uid() == uid {
            return Ok(());
        }
        let mut left = vec![folder.to_path_buf()];
        let mut seen = Vec::new();
        while let Some(path) = left.pop() {
            if read(&path)?.is_dir() {
                let entries =
                    fs::read_dir(&path).map_err(EmbeddedError::file("cannot read", &path))?;
                left.extend(entries.filter_map(|entry| entry.ok().map(|e| e.path())));
            }
            seen.push(path);
        }
        // The folder itself comes last, so that an interrupted change is begun again.
        seen.iter().rev().try_for_each(|path| self.own(path))
    }

    /// Whether this user may search the folder and all its parents; asked of the kernel, so access lists count too.
    pub(super) fn can_reach(&self, folder: &Path) -> bool {
        if !self.is_dropped() {
            return true;
        }
        let mut command = self.command(Path::new("/usr/bin/test"));
        command
            .args([OsStr::new("-x"), folder.as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// The user we run as, read from the owner of our own entry in `/proc`.
pub(super) fn own_uid() -> Result<u32, EmbeddedError> {
    fs::metadata("/proc/self")
        .map(|metadata| metadata.uid())
        .map_err(EmbeddedError::file("cannot read", "/proc/self"))
}

fn look_up(name: &str) -> Option<(u32, u32)> {
    let local = fs::read_to_string("/etc/passwd").ok().and_then(|text| find_entry(&text, name));
    local.or_else(|| {
        let output = Command::new("getent").args(["passwd", name]).output().ok()?;
        find_entry(&String::from_utf8(output.stdout).ok()?, name)
    })
}

fn find_entry(text: &str, name: &str) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_wanted = fields.next() == Some(name);
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_wanted.then_some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::find_entry;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\npost:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/bash\n";

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        assert_eq!(find_entry(PASSWD, "postgres"), Some((101, 104)));
        assert_eq!(find_entry(PASSWD, "postg"), None);
        assert_eq!(find_entry("broken\n", "broken"), None);
    }
}
