//! Every way to prove who one is that the configuration offers; a user with a password and certificates: `connect`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_workers::{JetStream, NatsSettings};
use nkeys::KeyPair;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{AtWork, settings_for};
use crate::nats_server::NatsServer;
use crate::world::World;

/// A JWT as NATS has them: what an issuer says of a subject.
fn jwt(issuer: &KeyPair, subject: &str, name: &str, says: Value) -> String {
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let claims = json!({"jti": name, "iat": 1_700_000_000, "iss": issuer.public_key(), "name": name,
        "sub": subject, "nats": says});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

/// An account without bounds; the system's has no streams.
fn account(operator: &KeyPair, account: &KeyPair, name: &str) -> String {
    let stored = if name == "SYS" { 0 } else { -1 };
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1, "mem_storage": stored, "disk_storage": stored,
        "streams": stored, "consumer": stored});
    let says = json!({"type": "account", "version": 2, "limits": limits});
    jwt(operator, &account.public_key(), name, says)
}

fn user(account: &KeyPair, user: &KeyPair) -> String {
    let says = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    jwt(account, &user.public_key(), "keynest", says)
}

/// What a file of `nsc generate creds` looks like.
fn creds(jwt: &str, user: &KeyPair) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        user.seed().unwrap()
    )
}

#[sqlx::test(migrations = false)]
async fn a_creds_file_opens_the_server_that_knows_its_account(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let folder = tempfile::tempdir().unwrap();
    let [operator, system, ours, stranger] = [
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    ];
    let says = json!({"type": "operator", "version": 2, "system_account": system.public_key()});
    let configuration = folder.path().join("nats.conf");
    let known = [(&system, "SYS"), (&ours, "KEYNEST")]
        .map(|(it, name)| format!("{}: {}", it.public_key(), account(&operator, it, name)));
    let text = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n{}\n}}\n",
        jwt(&operator, &operator.public_key(), "O", says),
        system.public_key(),
        known.join("\n")
    );
    std::fs::write(&configuration, text).unwrap();
    let server = NatsServer::start_with(&["-c", configuration.to_str().unwrap()]);
    let file = folder.path().join("keynest.creds");
    let me = KeyPair::new_user();
    let settings =
        NatsSettings { credentials_file: Some(file.clone()), ..settings_for(&server.url()) };

    std::fs::write(&file, creds(&user(&stranger, &me), &me)).unwrap();
    let mut refused =
        AtWork::with_relay(&world, JetStream::connect(settings.clone()).await.unwrap()).await;
    world.append([1]).await;
    refused.arrives([1]).await;
    refused.stop().await;

    std::fs::write(&file, creds(&user(&ours, &me), &me)).unwrap();
    let jetstream = JetStream::connect(settings.clone()).await.unwrap();
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    let opened = async_nats::ConnectOptions::with_credentials_file(&file).await.unwrap();
    let observer = async_nats::jetstream::new(opened.connect(server.url()).await.unwrap());
    super::is_pulled(&observer, "probe").await;
    world.append([2]).await;
    at_work.arrives([2]).await;
    at_work.stop().await;
    let stands = super::positions(&super::messages(&observer).await);
    assert_eq!(stands.last(), Some(&world.store.head().await.unwrap().to_stored()));
}

#[sqlx::test(migrations = false)]
async fn a_token_in_the_address_opens_the_server(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let server = NatsServer::start_with(&["--auth", "s3cr=et"]);
    let address = format!("nats://s3cr%3Det@127.0.0.1:{}", server.port());
    let jetstream = JetStream::connect(settings_for(&address)).await.unwrap();
    let mut at_work = AtWork::with_relay(&world, jetstream).await;
    let opened = async_nats::ConnectOptions::with_token("s3cr=et".to_owned());
    let observer = async_nats::jetstream::new(opened.connect(server.url()).await.unwrap());
    super::is_pulled(&observer, "probe").await;
    world.append([1]).await;
    at_work.arrives([1]).await;
    at_work.stop().await;
}
