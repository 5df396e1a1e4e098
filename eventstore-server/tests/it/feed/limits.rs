//! The feed's listener: how much at a time, how long it takes to stop, and where clients find it.

use std::pin::pin;

use keynest_eventstore_server::proto::event_store::client::streams::read_req::options::{
    AllOptions, CountOption, FilterOption, FilterOptions, StreamOption, SubscriptionOptions,
    filter_options,
};
use keynest_eventstore_server::proto::event_store::client::streams::streams_client::StreamsClient;
use keynest_eventstore_server::proto::event_store::client::streams::{ReadReq, read_req};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use super::*;

/// Enough for whatever need not wait.
const ROUNDS: usize = 50;

impl Feed {
    /// On a connection of its own.
    fn raw(&self) -> StreamsClient<Channel> {
        let endpoint = Endpoint::try_from(format!("http://{}", self.address)).unwrap();
        StreamsClient::new(endpoint.connect_lazy())
    }
}

/// Ann's wish to read everything, or to follow.
fn asked(count: CountOption, filter: Option<FilterOption>) -> Request<ReadReq> {
    let options = read_req::Options {
        stream_option: Some(StreamOption::All(AllOptions { all_option: None })),
        count_option: Some(count),
        filter_option: filter,
        ..Default::default()
    };
    let mut request = Request::new(ReadReq { options: Some(options) });
    request.metadata_mut().insert("authorization", "Basic YW5uOnNlY3JldA==".parse().unwrap());
    request
}

fn all() -> Request<ReadReq> {
    asked(CountOption::Count(9), None)
}

fn following() -> Request<ReadReq> {
    asked(CountOption::Subscription(SubscriptionOptions {}), None)
}

/// That a call is not answered while others are, many times.
async fn waits(call: &mut (impl Future + Unpin), mut others: StreamsClient<Channel>) {
    for _ in 0..ROUNDS {
        tokio::select! {
            biased;
            _ = &mut *call => panic!("it was answered"),
            told = others.read(all()) => drop(told.unwrap()),
        }
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_seat() {
    let feed = Feed::start(3, |options| options.connections_max = 1).await;
    let mut first = feed.raw();
    first.read(all()).await.unwrap();
    let mut second = feed.raw();
    let mut waiting = pin!(second.read(all()));
    // The only other connection ends with this.
    waits(&mut waiting, first).await;
    waiting.await.unwrap();
}

#[tokio::test]
async fn calls_beyond_the_limit_of_a_connection_wait_for_another_to_end() {
    let feed = Feed::start(3, |options| options.streams_max = 1).await;
    let mut client = feed.raw();
    let mut open = client.read(following()).await.unwrap().into_inner();
    open.message().await.unwrap();
    let mut waiting = pin!(client.read(all()));
    waits(&mut waiting, feed.raw()).await;
    drop(open);
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_message_has_no_more_bytes_than_it_may() {
    let feed = Feed::start(3, |options| options.message_bytes_max = 4_096).await;
    let by = |bytes: usize| {
        let regex = "x".repeat(bytes);
        let expression = filter_options::Expression { regex, prefix: Vec::new() };
        let by = Some(filter_options::Filter::EventType(expression));
        Some(FilterOption::Filter(FilterOptions { filter: by, ..Default::default() }))
    };
    let mut client = feed.raw();
    client.read(asked(CountOption::Count(9), by(4_000))).await.unwrap();
    let refused = client.read(asked(CountOption::Count(9), by(4_096))).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
}

#[tokio::test]
async fn whoever_does_not_end_is_cut_off_in_time() {
    let feed = Feed::start(3, |options| options.drain = Duration::from_millis(10)).await;
    let mut open = feed.raw().read(following()).await.unwrap().into_inner();
    open.message().await.unwrap();
    feed.stop.send(()).unwrap();
    let served = tokio::time::timeout(Duration::from_secs(60), feed.served);
    served.await.unwrap().unwrap().unwrap();
}

/// A client with several addresses asks each for the members of the cluster, and goes where they say.
#[tokio::test]
async fn a_client_of_a_cluster_finds_the_feed() {
    let feed = Feed::start(LOG.len(), |_| {}).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = feed.address;
    let url = format!("kurrentdb://ann:secret@{nobody},{address}?tls=false&discoveryInterval=1");
    let client = Client::new(url.parse().unwrap()).unwrap();
    let read = collect(client.read_all(&Default::default()).await.unwrap()).await.unwrap();
    assert_eq!(read.len(), 4);
}
