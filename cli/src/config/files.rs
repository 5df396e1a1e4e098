//! Where KeyNest keeps files of its own.

use std::path::PathBuf;

use super::Config;

impl Config {
    /// The file of the root key.
    #[must_use]
    pub fn root_file(&self) -> PathBuf {
        if self.keys.root_file.as_os_str().is_empty() {
            self.data_dir.join("root.key")
        } else {
            self.keys.root_file.clone()
        }
    }

    /// Where the ledger of destroyed keys is.
    pub fn destroyed_file(&self) -> PathBuf {
        if self.keys.destroyed_file.as_os_str().is_empty() {
            self.data_dir.join("destroyed-keys.log")
        } else {
            self.keys.destroyed_file.clone()
        }
    }
}
