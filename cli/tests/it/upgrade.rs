//! Old and new binaries on one database, and migrations that are killed. There is one binary here: what another would
//! do is put into the database by SQL or through the port (docs/decisions/0100).

use std::process::{Child, Stdio};

use keynest_commands::Clock;
use keynest_domain::StreamName;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool};
use keynest_store::{Append, EventStore, Expected, Metadata, NewEvent, StreamAppend};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::journey::{People, found_organization};
use crate::replicas::{Cluster, found_environment, register};
use crate::running::Running;

/// What a command printed, and whether it succeeded.
fn told(cluster: &Cluster, arguments: &[&str]) -> (bool, String) {
    let output = cluster.command(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

async fn sql(cluster: &Cluster, statements: &str) {
    let mut connection = PgConnection::connect(&cluster.url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// An event that this binary does not know, as one of the future would append it.
async fn appended(cluster: &Cluster, stream: StreamName, name: &str, version: u16) {
    let options = StoreOptions::default();
    let pool = connect_store_pool(&cluster.url, &options).await.unwrap();
    let store = EventStore::from(Postgres::open(pool.clone(), &options).await.unwrap());
    let event = NewEvent { name: name.into(), version, data: "{}".into() };
    let part = StreamAppend { stream, expected: Expected::Any, events: vec![event] };
    let append = Append {
        command_id: Clock::default().command_id(),
        streams: vec![part],
        checks: vec![],
        claims: vec![],
        releases: vec![],
        metadata: Metadata::default(),
    };
    store.append(append).await.unwrap();
    pool.close().await;
}

/// A command with an answer that is a problem; its code.
async fn refused(api: &Running, method: Method, path: &str, token: &str) -> Value {
    api.json(503, method, path, Some(token), None).await["code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_binary_wrote_stops_its_stream_alone_and_goes_on_after_the_upgrade() {
    let cluster = Cluster::new().await;
    let [api, _project, _work] = ["api", "project", "work"].map(|part| cluster.start(part));
    let people = People::arrive(&api).await;
    let organization = found_organization(&api, &people).await;
    let mut projects = Vec::new();
    for number in 0..3 {
        let environment = found_environment(&api, &people.ann, organization, number).await;
        let path = format!("/api/core/environments/{environment}/");
        let environment = api.json(200, Method::GET, &path, Some(&people.ann), None).await;
        projects.push(environment["project"].as_i64().unwrap());
    }
    // A type that does not exist yet, and a version that does not; of the second mails are sent.
    appended(&cluster, StreamName::new("project", projects[0]), "project.archived", 1).await;
    appended(&cluster, StreamName::new("project", projects[1]), "project.deleted", 99).await;
    for project in &projects[..2] {
        let path = format!("/api/core/projects/{project}/");
        let code = refused(&api, Method::DELETE, &path, &people.ann).await;
        assert_eq!(code, "newer_than_this_binary");
        api.json(200, Method::GET, &path, Some(&people.ann), None).await;
    }
    // Another command of the product waits until the rows are there.
    register(&api, "meanwhile").await;
    crate::journey::link(&api, "meanwhile@example.com", "/activate/").await;
    let status = loop {
        let (_, status) = told(&cluster, &["status"]);
        if status.contains("mails          1 waiting") && status.contains("audit_log") {
            break status;
        }
    };
    for project in &projects[..2] {
        let parked =
            status.lines().filter(|line| line.contains(&format!("parked project-{project} at")));
        assert_eq!(parked.count(), 2, "in the projects and in the audit log: {status}");
    }
    assert!(status.contains("event project.archived v1 is not known to this binary"), "{status}");
    assert!(!status.contains(&format!("project-{}", projects[2])), "{status}");
    let path = format!("/api/core/projects/{}/", projects[2]);
    api.call(Method::DELETE, &path, Some(&people.ann), None).await.error_for_status().unwrap();

    // The upgrade: what was not known is known.
    sql(
        &cluster,
        "update store.events set type = 'project.deleted', version = 1 where type = 'project.archived' or version = 99;
         update store.work set due_at = now()",
    )
    .await;
    let (is_done, rebuilt) = told(&cluster, &["rebuild"]);
    assert!(is_done, "{rebuilt}");
    loop {
        let (_, status) = told(&cluster, &["status"]);
        assert!(!status.contains("parked"), "{status}");
        if status.contains("mails          0 waiting for another try, 0 given up") {
            break;
        }
    }
    for project in projects {
        for method in [Method::GET, Method::DELETE] {
            let path = format!("/api/core/projects/{project}/");
            api.json(404, method, &path, Some(&people.ann), None).await;
        }
    }
    cluster.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_finished_when_no_older_binary_is_at_work() {
    let cluster = Cluster::new().await;
    let api = cluster.start("serve");
    register(&api, "before").await;
    let (_, status) = told(&cluster, &["status"]);
    assert!(status.contains("format         level 1, this binary reads up to 1\n"), "{status}");
    assert!(status.contains("process        serve 0.1.0 on "), "{status}");
    assert_eq!(api.stop(), Some(0));
    let (_, status) = told(&cluster, &["status"]);
    assert!(!status.contains("process  "), "{status}");

    // As if this binary were the new one: the log is at the level before, and somebody of then is at work.
    sql(
        &cluster,
        "update store.log set format_level = 0;
         insert into store.processes (part, version, host, format_level) values ('work', '0.0.9', 'elsewhere/7', 0)",
    )
    .await;
    let api = cluster.start("serve");
    let account = json!({"username": "late", "email": "late@example.com", "password": "canary-Passw0rd-x7Q2",
        "confirm_password": "canary-Passw0rd-x7Q2"});
    let path = "/api/auth/register/";
    let answer = api.json(503, Method::POST, path, None, Some(account.clone())).await;
    assert_eq!(answer["code"], "format_level_too_low");
    let (_, status) = told(&cluster, &["status"]);
    assert!(
        status.contains("level 0, this binary reads up to 1: `keynest migrate --finish`"),
        "{status}"
    );
    let (is_done, text) = told(&cluster, &["migrate", "--finish"]);
    assert!(!is_done && text.contains("work 0.0.9 on elsewhere/7, format level 0"), "{text}");
    let (is_done, _) = told(&cluster, &["migrate"]);
    assert!(is_done, "to expand is always possible");
    api.json(503, Method::POST, path, None, Some(account.clone())).await;

    sql(
        &cluster,
        "update store.processes set seen_at = seen_at - interval '30 s' where part = 'work'",
    )
    .await;
    let (is_done, text) = told(&cluster, &["migrate", "--finish"]);
    assert!(is_done && text.contains("at format level 1 now; it was at 0"), "{text}");
    api.json(201, Method::POST, path, None, Some(account)).await;
    let (is_done, text) = told(&cluster, &["migrate", "--finish"]);
    assert!(is_done && text.contains("at format level 1 already"), "{text}");

    // A still newer one has finished its upgrade: this one is to go.
    sql(&cluster, "update store.log set format_level = 2").await;
    let why = loop {
        let answer = api.call(Method::GET, "/health/ready", None, None).await;
        if answer.status() == 503 {
            break answer.text().await.unwrap();
        }
    };
    assert!(why.contains("at format level 2, this process reads up to 1"), "{why}");
    for arguments in [&["status"][..], &["api"], &["migrate", "--finish"]] {
        let (is_done, text) = told(&cluster, arguments);
        let refusal = "the log is at format level 2, this binary reads up to 1; start a newer one";
        assert!(!is_done && text.contains(refusal), "{arguments:?}: {text}");
    }
}

/// The nth statement that changes a schema never ends.
const TRAP: &str =
    "create schema trap; create sequence trap.passed; create table trap.set (at bigint);
    insert into trap.set values (0);
    create function trap.spring() returns event_trigger language plpgsql as $$ begin
        if nextval('trap.passed') = (select at from trap.set) then perform pg_sleep(3600); end if;
    end $$;
    create event trigger trap on ddl_command_start execute function trap.spring()";
/// A fresh database has fewer statements than that.
const STATEMENTS_MAX: u32 = 500;

async fn steps(connection: &mut PgConnection) -> i64 {
    let mut taken = 0;
    for schema in ["store", "read"] {
        let table = format!("{schema}._sqlx_migrations");
        let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(&table)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        if is_there {
            let count = AssertSqlSafe(format!("select count(*) from {table}"));
            let of_schema: i64 =
                sqlx::query_scalar(count).fetch_one(&mut *connection).await.unwrap();
            taken += of_schema;
        }
    }
    taken
}

/// `kill -9` as soon as the trap holds it; `true` if it came to its end instead.
async fn killed_in_the_trap(mut child: Child, connection: &mut PgConnection) -> bool {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return true;
        }
        let held: Option<i32> = sqlx::query_scalar(
            "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
        )
        .fetch_optional(&mut *connection)
        .await
        .unwrap();
        let Some(held) = held else { continue };
        child.kill().unwrap();
        child.wait().unwrap();
        // What Postgres does when it sees that the other end is gone, which it does not while it sleeps.
        sqlx::query("select pg_terminate_backend($1, 60000)")
            .bind(held)
            .execute(connection)
            .await
            .unwrap();
        return false;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_killed_at_any_statement_is_taken_up_again() {
    let cluster = Cluster::unmade().await;
    let mut connection = PgConnection::connect(&cluster.url).await.unwrap();
    sqlx::raw_sql(TRAP).execute(&mut connection).await.unwrap();
    let (mut at, mut kills, mut taken) = (1, 0, 0);
    loop {
        let set = format!("alter sequence trap.passed restart; update trap.set set at = {at}");
        let set = format!(
            "set session_replication_role = replica; {set}; reset session_replication_role"
        );
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut connection).await.unwrap();
        let mut command = cluster.place.keynest(&["migrate"]);
        command.env("DATABASE_URL", &cluster.url).stdout(Stdio::null()).stderr(Stdio::null());
        if killed_in_the_trap(command.spawn().unwrap(), &mut connection).await {
            break;
        }
        kills += 1;
        assert!(kills < STATEMENTS_MAX);
        let now = steps(&mut connection).await;
        // What was taken is not taken again: behind the schema, the list of steps and the statement of just now.
        at = if now > taken { 4 } else { at + 1 };
        taken = now;
    }
    let wanted = keynest_store::postgres::MIGRATOR.iter().count()
        + keynest_projections::MIGRATOR.iter().count();
    assert_eq!(steps(&mut connection).await, i64::try_from(wanted).unwrap());
    assert!(kills as usize > wanted, "at least once in each step: {kills}");
    sqlx::raw_sql("drop event trigger trap").execute(&mut connection).await.unwrap();
    let api = cluster.start("serve");
    register(&api, "after").await;
    assert_eq!(api.stop(), Some(0));
    cluster.is_sound();
}
