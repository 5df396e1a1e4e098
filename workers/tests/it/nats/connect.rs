//! Which servers are spoken to, and how.

use keynest_workers::{JetStream, NatsError, NatsSettings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{AtWork, positions, relay, settings_for, until};
use crate::carrier::probe::{Answer, Probe};
use crate::nats_server::NatsServer;
use crate::smtp::server::Certificates;
use crate::world::World;

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let old = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let info = r#"{"server_id":"A","version":"2.9.10","go":"","host":"","port":1,"headers":true,"max_payload":1048576,"proto":1}"#;
        client.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
        let mut said = [0; 4_096];
        while !String::from_utf8_lossy(&said).contains("PING") {
            assert!(client.read(&mut said).await.unwrap() > 0);
        }
        client.write_all(b"PONG\r\n").await.unwrap();
        while client.read(&mut said).await.is_ok_and(|read| read > 0) {}
    });
    let error = JetStream::connect(settings_for(&url)).await.unwrap_err();
    assert_eq!(error.to_string(), "nats-server 2.9.10 is too old: at least 2.10 is needed");
    old.await.unwrap();
}

#[tokio::test]
async fn what_can_only_be_wrong_in_the_configuration_is_refused() {
    let nobody = settings_for("nats://127.0.0.1:1");
    let missing = Some(std::path::PathBuf::from("/nonexistent/file"));
    let wrong = [
        NatsSettings { credentials_file: missing.clone(), ..nobody.clone() },
        NatsSettings { ca_file: missing.clone(), ..nobody.clone() },
        NatsSettings { client_certificate: missing.clone().zip(missing), ..nobody },
    ];
    for settings in wrong {
        let error = JetStream::connect(settings).await.unwrap_err();
        assert_eq!(error.to_string(), "read /nonexistent/file");
    }
    let error = JetStream::connect(settings_for("nats://[")).await.unwrap_err();
    assert!(matches!(error, NatsError::Address(_)), "{error}");
}

/// With a certificate of the test's own authority on either side, and a password in the address.
#[sqlx::test(migrations = false)]
async fn a_server_with_tls_and_a_password_carries_the_feed(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    // As the binary does at its start: a build that has two providers chooses none by itself.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let world = World::new(connect).await;
    let certificates = Certificates::for_host("localhost");
    let [ca, certificate, key] =
        ["ca.pem", "leaf.pem", "leaf.key"].map(|name| certificates.path(name));
    let server = NatsServer::start_with(&[
        "--tlsverify",
        "--tlscacert",
        &ca,
        "--tlscert",
        &certificate,
        "--tlskey",
        &key,
        "--user",
        "keynest",
        "--pass",
        "corr=ect",
    ]);
    let settings = NatsSettings {
        ca_file: Some(ca.into()),
        client_certificate: Some((certificate.into(), key.into())),
        ..settings_for(&format!("tls://keynest:corr%3Dect@localhost:{}", server.port()))
    };
    let jetstream = JetStream::connect(settings.clone()).await.unwrap();
    world.consumer(&Probe::new("probe", |_| Answer::Done)).await;
    let _relay = relay(jetstream, &world.store, &world.pool);
    world.append([1]).await;
    let observer = super::observer(&settings).await;
    until(async || positions(&super::messages(&observer).await) == [1, 2]).await;
}

/// What docs/OPERATIONS.md tells operators to allow.
const ALLOWED: &str = r#"
authorization { users = [
    { user: observer, password: "observer" }
    { user: keynest, password: "corr=ect", permissions: {
        publish: ["keynest.events.>", "$JS.API.STREAM.CREATE.keynest", "$JS.API.STREAM.UPDATE.keynest",
            "$JS.API.STREAM.INFO.keynest", "$JS.API.STREAM.MSG.GET.keynest", "$JS.API.CONSUMER.DURABLE.CREATE.keynest.>",
            "$JS.API.CONSUMER.CREATE.keynest.>", "$JS.API.CONSUMER.MSG.NEXT.keynest.>", "$JS.ACK.keynest.>"]
        subscribe: ["_INBOX.>"] } }
] }
"#;

#[sqlx::test(migrations = false)]
async fn the_documented_permissions_are_enough(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ALLOWED).unwrap();
    let server = NatsServer::start_with(&["-c", file.path().to_str().unwrap()]);
    let address = |user: &str| format!("nats://{user}@127.0.0.1:{}", server.port());
    let jetstream = JetStream::connect(settings_for(&address("keynest:corr=ect"))).await.unwrap();
    let options =
        async_nats::ConnectOptions::with_user_and_password("observer".into(), "observer".into());
    let observer = async_nats::jetstream::new(options.connect(server.url()).await.unwrap());
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    super::is_pulled(&observer, "probe").await;
    world.append([1]).await;
    at_work.arrives([1]).await;
    until(async || {
        let mut consumer = super::consumer(&observer, "probe").await.unwrap();
        consumer.info().await.unwrap().ack_floor.stream_sequence == 2
    })
    .await;
    at_work.stop().await;
}
