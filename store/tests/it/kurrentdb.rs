//! What only the backend `kurrentdb` has to bear: wires that are cut, servers that are away, restarted or too old.

use std::net::TcpListener as StdListener;
use std::time::Duration;

use keynest_eventstore_protocol::event_store::client::server_features::server_features_server::{
    ServerFeatures, ServerFeaturesServer,
};
use keynest_eventstore_protocol::event_store::client::server_features::{
    SupportedMethod, SupportedMethods,
};
use keynest_eventstore_server::serve;
use keynest_store::kurrentdb::{Kurrent, KurrentError, KurrentOptions};
use keynest_store::{Append, AppendError, Conflict, EventStore, Expected, Position, Revision};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::face::{face_over, fresh_prefix, open, url_of};
use crate::given::*;
use crate::proxy::{Action, MARKER, Proxy};

/// A log whose own wire goes through a proxy, the same log by another way, and what is under both.
async fn proxied() -> (EventStore, Proxy, EventStore, EventStore) {
    let (under, prefix) = (EventStore::memory(), fresh_prefix());
    let direct = face_over(under.clone()).await;
    let proxy = Proxy::to(&direct).await;
    let store = open(&url_of(proxy.port), prefix.clone()).await;
    (store, proxy, open(&direct, prefix).await, under)
}

/// One event that the proxy knows.
fn marked(id: &str, expected: Expected) -> Append {
    append([part(id, expected, &[MARKER])])
}

fn spawned(
    store: &EventStore,
    append: Append,
) -> tokio::task::JoinHandle<Result<keynest_store::Appended, AppendError>> {
    let store = store.clone();
    tokio::spawn(async move { store.append(append).await })
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_sent_again() {
    let (store, proxy, direct, _) = proxied().await;
    proxy.plan(Action::CutBefore);
    let appended = store.append(marked("a", at(0))).await.unwrap();
    assert!(proxy.is_done() && !appended.is_repeat);
    assert_eq!((length(&direct).await, number(&direct, appended.position).await), (1, 1));
}

#[tokio::test]
async fn what_was_done_before_the_wire_was_cut_is_found_out() {
    for expected in [at(0), Expected::Any] {
        let (store, proxy, direct, under) = proxied().await;
        let before = under.head().await.unwrap();
        let mut append = marked("a", expected);
        append.claims = vec![(claim("x"), stream("a"))];
        proxy.plan(Action::CutAfter);
        let appending = spawned(&store, append.clone());
        proxy.reached().await;
        let mut head = under.watch_head();
        head.wait_for(|head| *head > before).await.unwrap();
        proxy.go();
        let appended = appending.await.unwrap().unwrap();
        assert!(!appended.is_repeat, "it was this very append");
        assert_eq!((length(&direct).await, number(&direct, appended.position).await), (1, 1));
        assert!(store.append(append).await.unwrap().is_repeat);
        assert_eq!(length(&direct).await, 1);
    }
}

#[tokio::test]
async fn an_append_that_was_answered_with_a_conflict_never_comes_true() {
    let (store, proxy, direct, _) = proxied().await;
    proxy.plan(Action::Hold);
    // It would be right for a stream with one event.
    let append = marked("a", at(1));
    let refused = store.append(append.clone()).await.unwrap_err();
    let (expected, actual) = (Revision::new(1), Revision::NONE);
    let conflict = Conflict::Revision { stream: stream("a"), expected, actual };
    assert!(matches!(refused, AppendError::Conflict(it) if it == conflict));
    // Now it is, and only now its first sending arrives.
    direct.append(one("a", at(0))).await.unwrap();
    proxy.go();
    proxy.answered().await;
    assert_eq!(length(&direct).await, 1);
    assert_eq!(direct.lookup(append.command_id).await.unwrap(), None);
    // Whoever decides anew may use the same command.
    assert!(!store.append(append).await.unwrap().is_repeat);
    assert_eq!(length(&direct).await, 2);
}

#[tokio::test]
async fn a_server_that_stays_away_is_told_and_the_outcome_is_not_guessed() {
    let under = EventStore::memory();
    let proxy = Proxy::to(&face_over(under.clone()).await).await;
    let options = KurrentOptions {
        stream_prefix: fresh_prefix(),
        resend_for: Duration::from_millis(100),
        ..KurrentOptions::default()
    };
    let address = url_of(proxy.port).parse().unwrap();
    let store = EventStore::from(Kurrent::open(address, options, None).await.unwrap());
    proxy.plan(Action::CutAfter);
    let append = marked("a", at(0));
    let appending = spawned(&store, append.clone());
    proxy.reached().await;
    let mut head = under.watch_head();
    let before = under.head().await.unwrap();
    let _ = head.wait_for(|head| *head >= before).await.unwrap();
    proxy.refuse(true);
    proxy.go();
    assert!(matches!(appending.await.unwrap(), Err(AppendError::Unavailable(_))));
    assert!(store.head().await.is_err());
    proxy.refuse(false);
    // The same command is safe.
    store.append(append.clone()).await.unwrap();
    assert_eq!(length(&store).await, 1);
    assert!(store.lookup(append.command_id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_first_connection_that_fails_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap().port());
    let opening = tokio::spawn(async move { open(&url, fresh_prefix()).await });
    for _ in 0..2 {
        drop(listener.accept().await.unwrap());
    }
    tokio::spawn(serve(EventStore::memory(), listener, std::future::pending()));
    let store = opening.await.unwrap();
    store.append(one("a", at(0))).await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_nobody_is_in_is_told() {
    let port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for scheme in ["kurrentdb", "kurrentdb+discover"] {
        let url = format!("{scheme}://127.0.0.1:{port}?tls=false");
        let options = KurrentOptions { connect_for: Duration::ZERO, ..KurrentOptions::default() };
        let refused = Kurrent::open(url.parse().unwrap(), options, None).await.unwrap_err();
        assert!(matches!(refused, KurrentError::Unreachable(_)), "{refused}");
    }
}

#[tokio::test]
async fn the_leader_is_found_by_gossip() {
    let url = face_over(EventStore::memory()).await;
    let absent = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_, place) = url.split_once("://").unwrap();
    let cluster = format!("kurrentdb://127.0.0.1:{absent},{place}");
    let store = open(&cluster, fresh_prefix()).await;
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(length(&store).await, 1);
}

/// A server whose connections end with it, as those of a process do.
fn server(under: EventStore, listener: StdListener) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        serve(under, listener, std::future::pending()).await.unwrap();
    });
    runtime
}

#[tokio::test]
async fn a_restart_of_the_server_is_borne() {
    let under = EventStore::memory();
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let first = server(under.clone(), listener);
    let store = open(&url_of(address.port()), fresh_prefix()).await;
    let mut subscription = store.subscribe(Position::START);
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(subscription.next_batch(10).await.unwrap().len(), 1);
    first.shutdown_background();
    let appending = spawned(&store, one("a", at(1)));
    let listener = loop {
        // The first one may not have let go of it yet.
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let second = server(under, listener.into_std().unwrap());
    let appended = appending.await.unwrap().unwrap();
    assert_eq!(number(&store, appended.position).await, 2);
    assert_eq!(subscription.next_batch(10).await.unwrap()[0].position, appended.position);
    second.shutdown_background();
}

#[tokio::test]
async fn another_process_s_appends_are_heard_of() {
    let (url, prefix) = (face_over(EventStore::memory()).await, fresh_prefix());
    let (one_process, other) = (open(&url, prefix.clone()).await, open(&url, prefix).await);
    let mut subscription = one_process.subscribe(Position::START);
    for round in 0..20 {
        let appended = other.append(one("a", at(round))).await.unwrap();
        let batch = subscription.next_batch(10).await.unwrap();
        assert_eq!(batch[0].position, appended.position);
    }
    assert_eq!(one_process.incarnation(), other.incarnation());
}

#[tokio::test]
async fn logs_in_one_cluster_do_not_see_each_other() {
    let url = face_over(EventStore::memory()).await;
    let (mine, other) = (open(&url, "mine".into()).await, open(&url, "mine2".into()).await);
    let mut taking = one("a", at(0));
    taking.claims = vec![(claim("x"), stream("a"))];
    for store in [&mine, &other] {
        let taking = Append { command_id: fresh_command(), ..taking.clone() };
        store.append(taking).await.unwrap();
        assert_eq!(length(store).await, 1);
    }
    assert_ne!(mine.incarnation(), other.incarnation());
}

#[tokio::test]
async fn positions_are_ordered_and_not_dense() {
    let store = open(&face_over(EventStore::memory()).await, fresh_prefix()).await;
    store.append(append([part("a", at(0), &["1", "2"]), part("b", at(0), &["3"])])).await.unwrap();
    store.append(one("a", at(2))).await.unwrap();
    let positions: Vec<u64> = all(&store).await.iter().map(|it| it.position.to_stored()).collect();
    assert!(positions.windows(2).all(|pair| pair[0] + 1 < pair[1]), "{positions:?}");
}

/// A server of the years before.
struct Older;

#[tonic::async_trait]
impl ServerFeatures for Older {
    async fn get_supported_methods(
        &self,
        _: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let method = |service_name: &str, method_name: &str| SupportedMethod {
            method_name: method_name.to_owned(),
            service_name: service_name.to_owned(),
            features: Vec::new(),
        };
        Ok(Response::new(SupportedMethods {
            methods: vec![
                method("event_store.client.streams.streams", "batchappend"),
                method("kurrentdb.protocol.v2.streams.streamsservice", "appendsession"),
            ],
            event_store_server_version: "25.1.2".to_owned(),
        }))
    }
}

#[tokio::test]
async fn an_older_server_is_refused_by_its_version() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = url_of(listener.local_addr().unwrap().port()).parse().unwrap();
    let older = Server::builder().add_service(ServerFeaturesServer::new(Older));
    tokio::spawn(older.serve_with_incoming(TcpIncoming::from(listener)));
    let refused = Kurrent::open(address, KurrentOptions::default(), None).await.unwrap_err();
    assert!(matches!(&refused, KurrentError::TooOld(version) if version == "25.1.2"), "{refused}");
    assert!(refused.to_string().contains("26.1 or later is needed"), "{refused}");
}
