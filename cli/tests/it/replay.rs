//! `keynest replay`, and what subcommands do when nobody reads their output any more.

use std::io::{BufRead, BufReader, Read};
use std::process::{Output, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::journey::{People, found_organization, invite, keep_variables};
use crate::running::{Place, Running, signal};

impl Place {
    fn replay(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["replay"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn position(event: &Value) -> u64 {
    event["position"].as_u64().unwrap()
}

async fn journey(running: &Running) -> (People, i64) {
    let people = People::arrive(running).await;
    let organization = found_organization(running, &people).await;
    let environment = keep_variables(running, &people, organization).await;
    invite(running, &people, organization, environment).await;
    (people, organization)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_told_from_any_place_to_any_place_and_nothing_sealed_of_it() {
    let place = Place::new();
    let running = place.serve();
    let (_, organization) = journey(&running).await;
    let all = place.replay(&[]);
    assert!(all.len() > 20);
    assert!(all.iter().enumerate().all(|(index, event)| position(event) == index as u64 + 1));
    let text = json!(all).to_string().to_lowercase();
    assert!(!text.contains("canary") && !text.contains("127.0.0.1"), "{text}");

    let middle = all.len() / 2;
    let (here, there) = (middle.to_string(), (middle + 3).to_string());
    assert_eq!(place.replay(&["--from", &here]), all[middle..]);
    assert_eq!(place.replay(&["--to", &here]), all[..middle]);
    assert_eq!(place.replay(&["--from", &here, "--to", &there]), all[middle..middle + 3]);
    let moment = all[middle]["time"].as_str().unwrap();
    let is_later = |it: &&Value| it["time"].as_str().unwrap() >= moment;
    let later: Vec<Value> = all.iter().filter(is_later).cloned().collect();
    assert_eq!(place.replay(&["--from", moment]), later);
    assert_eq!(place.replay(&["--to", moment]), all[..all.len() - later.len()]);
    assert_eq!(place.replay(&["--from", "2999-01-01"]), [] as [Value; 0]);

    let first = |name: &str, value: &str| {
        let is = |it: &&Value| it[name].as_str().is_some_and(|it| it.starts_with(value));
        all.iter().filter(is).cloned().collect::<Vec<_>>()
    };
    let organization = organization.to_string();
    let actor = first("type", "environment.created")[0]["actor"].as_str().unwrap().to_owned();
    for (option, value, wanted) in [
        ("--type", "environment.*", first("type", "environment.")),
        ("--type", "project.created", first("type", "project.created")),
        ("--stream", "project-*", first("stream", "project-")),
        ("--organization", &organization, first("organization", &organization)),
        ("--actor", &actor, first("actor", &actor)),
    ] {
        assert!(!wanted.is_empty() && wanted.len() < all.len(), "{option}");
        assert_eq!(place.replay(&[option, value]), wanted, "{option}");
    }
    for bad in [
        &["--type", "nobody.*"][..],
        &["--stream", ""],
        &["--from", "yesterday"],
        &["--follow", "--to", "2999-01-01"],
    ] {
        let output = place.run(&[&["replay"], bad].concat());
        assert!(!output.status.success() && output.stdout.is_empty(), "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_followed_until_a_signal_or_a_position() {
    let place = Place::new();
    let running = place.serve();
    let (people, _) = journey(&running).await;
    let before = place.replay(&[]).len();
    let last = (before + 1).to_string();
    let start = |arguments: &[&str]| {
        let mut command = place.keynest(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..before {
            told.next().unwrap().unwrap();
        }
        (child, told)
    };
    let (endless, mut told) = start(&["replay", "--follow"]);
    let (mut ending, mut until) = start(&["replay", "--follow", "--to", &last]);
    let wish = json!({"name": "another"});
    let path = "/api/core/organizations/";
    running.json(201, Method::POST, path, Some(&people.ann), Some(wish)).await;
    for told in [&mut told, &mut until] {
        let event: Value = serde_json::from_str(&told.next().unwrap().unwrap()).unwrap();
        assert_eq!(position(&event), before as u64 + 1);
    }
    assert!(until.next().is_none());
    assert!(ending.wait().unwrap().success());
    signal("TERM", &endless.id().to_string());
    let ended = endless.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let running = place.serve();
    journey(&running).await;
    for arguments in [
        &["replay"][..],
        &["replay", "--follow"],
        &["status"],
        &["verify"],
        &["config"],
        &["keys", "list"],
        &["users", "list"],
        &["mailbox"],
        &["rebuild", "projects"],
        &["--help"],
    ] {
        let mut command = place.keynest(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}
