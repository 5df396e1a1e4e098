//! The disk of Postgres is full, slow or broken, as `disk.c` lets it be.

use std::fs::File;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use async_trait::async_trait;
use tempfile::TempDir;

use crate::fault::{self, Fault};
use crate::world::World;

/// A flush that takes longer than the product and people wait, in tenths of a second: the change is made, and nobody hears of
/// it.
const STUCK: u8 = 70;

/// What `disk.c` is told, by the place of its byte.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// No write succeeds (ENOSPC).
    Full,
    /// Every flush takes so many tenths of a second longer.
    Slow(u8),
    /// Every flush fails (EIO): Postgres gives up and recovers.
    Broken,
}

/// The switches, and the library that reads them.
pub struct Disk {
    folder: TempDir,
    switches: File,
}

impl Disk {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("keynest-disk.").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/disk.c");
        let built = Command::new("cc")
            .args(["-O1", "-fPIC", "-shared", "-o"])
            .arg(folder.path().join("disk.so"))
            .arg(source)
            .arg("-ldl")
            .output()
            .expect("there is a C compiler, which Rust needs, too");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let switches = File::create(folder.path().join("switches")).unwrap();
        switches.write_all_at(&[0; 3], 0).unwrap();
        Self { folder, switches }
    }

    /// What a server is started with.
    pub fn variables(&self) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let file = |name| text(self.folder.path().join(name));
        vec![
            ("LD_PRELOAD".to_owned(), file("disk.so")),
            ("KEYNEST_FAULTS_DISK".to_owned(), file("switches")),
        ]
    }

    pub fn be(&self, trouble: Trouble) {
        let (place, value) = match trouble {
            Trouble::Full => (0, 1),
            Trouble::Slow(tenths) => (1, tenths),
            Trouble::Broken => (2, 1),
        };
        self.switches.write_all_at(&[value], place).unwrap();
    }

    pub fn be_well(&self) {
        self.switches.write_all_at(&[0; 3], 0).unwrap();
    }
}

pub struct BadDisk {
    pub name: &'static str,
    pub trouble: Trouble,
}

#[async_trait]
impl Fault for BadDisk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn requests(&self) -> u64 {
        match self.trouble {
            Trouble::Full => 80,
            // What is slow takes long, and where nothing is flushed Postgres ends at the first change.
            Trouble::Slow(_) | Trouble::Broken => 24,
        }
    }

    async fn inject(&mut self, world: &mut World) {
        world.disturb();
        if let Trouble::Slow(_) = self.trouble {
            let before = world.ledger.open().unanswered;
            world.disk.be(Trouble::Slow(STUCK));
            fault::nobody_answers(world, before).await;
        }
        world.disk.be(self.trouble);
    }

    async fn heal(&mut self, world: &mut World) {
        world.disk.be_well();
        world.disturb();
        // A server that could not write its log ends; nothing but a start brings it back.
        world.server.restart_if_ended().await;
    }
}
