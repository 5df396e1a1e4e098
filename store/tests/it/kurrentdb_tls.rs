//! The backend `kurrentdb` over TLS, against the face with a certificate of an authority of its own.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use keynest_eventstore_server::{FeedTls, serve_with};
use keynest_store::EventStore;
use keynest_store::kurrentdb::{Kurrent, KurrentError, KurrentOptions};
use rustls::crypto::aws_lc_rs;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::face::{fresh_prefix, open};
use crate::given::*;

/// A face with TLS, and the folder of who vouches for it.
struct Guarded {
    port: u16,
    folder: TempDir,
}

impl Guarded {
    async fn start() -> Self {
        // As the program does at its start; another test may have been first.
        aws_lc_rs::default_provider().install_default().ok();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("names"), "subjectAltName=IP:127.0.0.1").unwrap();
        let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for arguments in [
            format!("req -x509 {new} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"),
            format!("req -x509 {new} -days 2 -subj /CN=other -keyout other.key -out other.pem"),
            format!("req {new} -subj /CN=face -keyout leaf.key -out leaf.csr"),
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out leaf.pem".to_owned(),
        ] {
            let mut command = Command::new("openssl");
            let made = command.args(arguments.split(' ')).current_dir(folder.path());
            let made = made.output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let read = |name: &str| std::fs::read(at(name)).unwrap();
        let tls = FeedTls { certificate: read("leaf.pem"), key: read("leaf.key") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (under, until) = (EventStore::memory(), std::future::pending());
        tokio::spawn(serve_with(under, listener, Some(tls), until));
        Self { port, folder }
    }

    fn url(&self, options: &str) -> String {
        format!("kurrentdb://admin:changeit@127.0.0.1:{}?{options}", self.port)
    }

    fn trusting(&self, authority: &str) -> String {
        self.url(&format!("tlsCaFile={}", self.folder.path().join(authority).display()))
    }
}

/// With the provider that the program has installed; the official client brings another one along (FACTS 2).
#[tokio::test]
async fn it_is_spoken_with_the_provider_of_the_program() {
    let face = Guarded::start().await;
    let store = open(&face.trusting("ca.pem"), fresh_prefix()).await;
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(length(&store).await, 1);
}

#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_is_refused() {
    let face = Guarded::start().await;
    for url in [face.trusting("other.pem"), face.url("tls=true"), face.url("tls=false")] {
        let options = KurrentOptions { connect_for: Duration::ZERO, ..KurrentOptions::default() };
        let refused = Kurrent::open(url.parse().unwrap(), options, None).await.unwrap_err();
        assert!(matches!(refused, KurrentError::Unreachable(_)), "{refused}");
        let mut told = refused.to_string();
        let mut cause = refused.source();
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        assert!(url.ends_with("tls=false") || told.contains("certificate"), "{told}");
        assert!(!told.contains("changeit"), "{told}");
    }
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_told_by_its_path() {
    let url = "kurrentdb://127.0.0.1?tlsCaFile=/nowhere/ca.pem".parse().unwrap();
    let refused = Kurrent::open(url, KurrentOptions::default(), None).await.unwrap_err();
    assert!(matches!(&refused, KurrentError::Setting(why) if why.contains("/nowhere/ca.pem")));
}
