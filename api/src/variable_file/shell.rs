//! The real judge of a .env export: `sh` sources the file and `env` prints what it understood.

use std::io::Write;
use std::process::Command;

use keynest_domain::FileFormat;
use proptest::prelude::*;

use super::render;
use super::round_trip::{NASTY, values};

/// Sources the export in a clean environment and returns the values in order.
fn sourced(values: &[String]) -> Vec<Vec<u8>> {
    let keys: Vec<_> = (0..values.len()).map(|at| format!("KEYNEST_{at}")).collect();
    let entries: Vec<_> =
        keys.iter().zip(values).map(|(key, value)| (&key[..], &value[..])).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(render(&entries, FileFormat::Env).as_bytes()).expect("written");
    let run = Command::new("/bin/sh")
        .args(["-c", "set -a; . \"$0\"; /usr/bin/env -0"])
        .arg(file.path())
        .env_clear()
        .output()
        .expect("sh runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed: std::collections::HashMap<_, _> = run
        .stdout
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=')?;
            Some((entry[..equals].to_vec(), entry[equals + 1..].to_vec()))
        })
        .collect();
    keys.iter().map(|key| printed.get(key.as_bytes()).cloned().expect("exported")).collect()
}

#[test]
fn sh_reads_every_pair_of_nasty_pieces_as_it_was() {
    for first in NASTY {
        let values: Vec<_> = NASTY.iter().map(|second| format!("{first}{second}")).collect();
        let expected: Vec<_> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        assert_eq!(sourced(&values), expected, "{first:?}");
    }
}

#[test]
fn sh_reads_a_value_of_the_largest_size() {
    let values: Vec<_> =
        ["x", "'", "\\", "\r\n"].map(|piece| piece.repeat(65_536 / piece.len())).into();
    let told: Vec<_> = sourced(&values).iter().map(Vec::len).collect();
    assert_eq!(told, [65_536; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn sh_reads_every_value_as_it_was(values in proptest::collection::vec(values(), 1..30)) {
        let expected: Vec<_> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        prop_assert_eq!(sourced(&values), expected);
    }
}
