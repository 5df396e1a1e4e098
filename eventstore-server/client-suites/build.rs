//! Finds the tests that the crate `kurrentdb` ships, where cargo has unpacked it.

use std::env::var;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Their authors' crate.
const CRATE: &str = "kurrentdb";

fn main() -> Result<(), Box<dyn Error>> {
    let tests = manifest()?.with_file_name("tests");
    let tests = tests.to_str().ok_or("the registry's path is not UTF-8")?;
    println!("cargo:rerun-if-changed=../../Cargo.lock");
    println!("cargo:rerun-if-changed={tests}");
    println!("cargo:rustc-env=KURRENTDB_TESTS={tests}");
    Ok(())
}

/// Of the version that is locked. Nothing is downloaded: whatever this package is built with is there already.
fn manifest() -> Result<PathBuf, Box<dyn Error>> {
    let target = var("TARGET")?;
    let arguments = ["metadata", "--offline", "--locked", "--format-version=1"];
    let output = Command::new(var("CARGO")?)
        .args(arguments)
        .arg(format!("--filter-platform={target}"))
        .output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata: {why}; run `cargo fetch --locked` once").into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata tells of no packages")?;
    let found = packages.iter().find(|it| it["name"] == CRATE);
    let path = found.and_then(|it| it["manifest_path"].as_str());
    Ok(path.ok_or("the crate is not among the packages")?.into())
}
