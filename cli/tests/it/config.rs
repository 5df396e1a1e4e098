//! `keynest config` as a user runs it.

use std::process::{Command, Output};

fn keynest(environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keynest"));
    command
        .env_clear()
        .envs(environment.iter().copied())
        .args(arguments)
        .current_dir(folder.path());
    command.output().unwrap()
}

#[test]
fn the_effective_configuration_is_printed_with_origins_and_without_secrets() {
    let output = keynest(
        &[("DATABASE_URL", "postgres://me:canary@db/keynest"), ("KEYNEST_LISTS_PAGE_SIZE", "9")],
        &["config"],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("page_size = 9  # environment KEYNEST_LISTS_PAGE_SIZE"), "{text}");
    assert!(text.contains("[HIDDEN]@db") && !text.contains("canary"), "{text}");
}

#[test]
fn a_bad_configuration_ends_with_a_line_that_says_what_to_change() {
    let output = keynest(&[("KEYNEST_HTTP_LISTEN", "0.0.0.0:8000")], &["config"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.starts_with("keynest: `http.listen` is 0.0.0.0:8000") && text.lines().count() == 1,
        "{text}"
    );
}
