//! The product on a log in a KurrentDB cluster, which is the face over a log in memory here: the main job, a kill, a rebuild,
//! and what such a log has not.

use keynest_store::EventStore;
use reqwest::Method;
use tokio::net::TcpListener;

use crate::journey::{People, answers, found_organization, invite, keep_variables};
use crate::replicas::Cluster;

/// The address of a log of its own.
async fn log_in_a_cluster() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving =
        keynest_eventstore_server::serve(EventStore::memory(), listener, std::future::pending());
    tokio::spawn(serving);
    format!("kurrentdb://127.0.0.1:{port}?tls=false")
}

fn told(cluster: &Cluster, url: Option<&str>, arguments: &[&str]) -> (bool, String) {
    let mut command = cluster.place.keynest(arguments);
    command.env("DATABASE_URL", &cluster.url);
    if let Some(url) = url {
        command.env("KEYNEST_STORE_URL", url);
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_runs_on_a_log_in_a_cluster() {
    let cluster = Cluster::unmade().await;
    let url = log_in_a_cluster().await;
    let store = [("KEYNEST_STORE_URL", url.as_str())];
    let running = cluster.start_with("serve", &store);
    let people = People::arrive(&running).await;
    let organization = found_organization(&running, &people).await;
    let environment = keep_variables(&running, &people, organization).await;
    invite(&running, &people, organization, environment).await;
    let export = format!("/api/core/environments/{environment}/export/?format=env");
    let file =
        running.call(Method::GET, &export, Some(&people.ann), None).await.text().await.unwrap();
    assert!(file.contains("canary-value-k4W9"), "{file}");
    let audit =
        running.json(200, Method::GET, "/api/core/audit-logs/", Some(&people.ann), None).await;
    for action in ["create", "export", "accept", "login"] {
        let rows = audit["results"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["action"] == action), "no {action} in {audit}");
    }
    let before = answers(&running, &people, organization, environment).await;
    running.kill_group();

    let running = cluster.start_with("serve", &store);
    assert_eq!(answers(&running, &people, organization, environment).await, before, "after a kill");
    for (command, says) in [
        (&["rebuild"][..], "rebuilt"),
        (&["rebuild", "--check"], ""),
        (&["status"], "in a KurrentDB cluster"),
        (&["migrate"], "in a KurrentDB cluster"),
        (&["replay", "--type", "organization.created"], r#""type":"organization.created""#),
        (&["users", "list"], "ann@example.com"),
        (&["keys", "list"], ""),
        (&["dead-letters", "list"], ""),
    ] {
        let (is_done, text) = told(&cluster, Some(&url), command);
        assert!(is_done && text.contains(says), "{command:?}: {text}");
    }
    let rebuilt = answers(&running, &people, organization, environment).await;
    assert_eq!(rebuilt, before, "after a rebuild");
    assert_eq!(running.stop(), Some(0));

    let folder = cluster.place.data().join("backup").display().to_string();
    for command in [&["backup", folder.as_str()][..], &["restore", folder.as_str()], &["verify"]] {
        let (is_done, text) = told(&cluster, Some(&url), command);
        assert!(!is_done && text.contains("log_not_in_database"), "{command:?}: {text}");
    }
    let (is_done, text) = told(&cluster, None, &["status"]);
    assert!(!is_done && text.contains("is in a KurrentDB cluster: set `store.url`"), "{text}");
    let other = log_in_a_cluster().await;
    let (is_done, text) = told(&cluster, Some(&other), &["status"]);
    assert!(!is_done && text.contains("belongs to another log"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_log_is_not_put_beside_another_one() {
    let cluster = Cluster::new().await;
    let running = cluster.start("serve");
    crate::replicas::register(&running, "ann").await;
    assert_eq!(running.stop(), Some(0));
    let url = log_in_a_cluster().await;
    let (is_done, text) = told(&cluster, Some(&url), &["status"]);
    assert!(!is_done && text.contains("holds a log of its own"), "{text}");
}
