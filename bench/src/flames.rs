//! Where the time of a section goes, as a flame graph: `perf` looks at every process of the machine while it runs, since
//! Postgres does half of the work. Looking takes some percent of what is looked at.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use inferno::collapse::Collapse;
use inferno::collapse::perf::Folder;
use inferno::flamegraph::{Options, from_lines};
use tempfile::TempDir;

/// Looks a second on every core; no multiple of what runs by the clock.
const HERTZ: &str = "99";
/// Binaries are built without frame pointers; so much of each stack is kept, in bytes.
const STACKS: &str = "dwarf,16384";
/// Names what is no work.
const IDLE: &str = "swapper;";

/// `perf` at work.
pub struct Flames {
    perf: Child,
    folder: TempDir,
}

impl Flames {
    /// Begins to look. Needs `perf`, and the right to look at all processes.
    pub fn begin() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let perf = Command::new("perf")
            .args(["record", "--quiet", "--all-cpus", "--freq", HERTZ, "--call-graph", STACKS])
            .arg("--output")
            .arg(recorded(&folder))
            .stdin(Stdio::null())
            .spawn()
            .context("start perf")?;
        Ok(Self { perf, folder })
    }

    /// Draws what was seen.
    pub fn end(mut self, title: &str, path: &Path) -> anyhow::Result<()> {
        let interrupt = Command::new("kill").args(["-INT", &self.perf.id().to_string()]).status();
        ensure!(interrupt?.success(), "perf has ended before the section");
        self.perf.wait()?;
        let mut told = Command::new("perf")
            .args(["script", "--no-inline", "--input"])
            .arg(recorded(&self.folder))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stacks = told.stdout.take().context("perf tells nothing")?;
        let folded = folded(BufReader::new(stacks))?;
        ensure!(told.wait()?.success() && !folded.is_empty(), "perf has seen nothing");
        let mut options = Options::default();
        options.title = title.to_owned();
        from_lines(&mut options, folded.lines(), File::create(path)?).context("draw the flames")
    }
}

impl Drop for Flames {
    /// A section that was given up leaves nobody behind.
    fn drop(&mut self) {
        // It may have ended, as it does in the usual case.
        let _ = self.perf.kill();
        let _ = self.perf.wait();
    }
}

fn recorded(folder: &TempDir) -> PathBuf {
    folder.path().join("perf.data")
}

/// A line for each stack, with how often it was seen; idle cores left out.
fn folded(told: impl std::io::BufRead) -> anyhow::Result<String> {
    let mut all = Vec::new();
    Folder::default().collapse(told, &mut all).context("read what perf tells")?;
    let all = String::from_utf8(all)?;
    Ok(all.lines().filter(|line| !line.starts_with(IDLE)).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "keynest 7 [000] 1.0: 1 cpu-clock:\n\t1 leaf+0x1 (a)\n\t2 root+0x2 (a)\n\n\
        swapper 0 [001] 1.1: 1 cpu-clock:\n\t3 halt+0x1 (b)\n\n\
        keynest 7 [000] 1.2: 1 cpu-clock:\n\t1 leaf+0x1 (a)\n\t2 root+0x2 (a)\n\n";

    #[test]
    fn the_same_stacks_are_counted_and_idle_cores_are_not() {
        assert_eq!(folded(TOLD.as_bytes()).unwrap(), "keynest;root;leaf 2");
    }
}
