//! The event feed as programs of other teams read it.

mod ends;
mod filters;
mod limits;
mod resume;
mod scope;
mod sse;
mod waiting;

use keynest_api::FeedLimits;
use reqwest::{Method, Response};
use serde_json::Value;
use sqlx::PgPool;

use crate::app::TestApp;
use crate::core::team::Team;
use crate::person::Person;

/// Where a first reader begins.
const ALL: &str = "limit=1000";

impl TestApp {
    /// Events and where to go on.
    async fn events(&self, caller: &Person, query: &str) -> (Vec<Value>, String) {
        let path = format!("/api/events/?{query}");
        let answer = self.as_person(caller, Method::GET, &path).send().await.unwrap();
        let status = answer.status();
        let position = answer.headers().get("keynest-position").cloned();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        assert_eq!((status.as_u16(), &*kind), (200, "application/x-ndjson"), "{text}");
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (events, position.unwrap().to_str().unwrap().to_owned())
    }

    /// Until so many requests read the feed.
    async fn seated(&self, readers: usize) {
        self.app.feed_seats.taken().wait_for(|taken| *taken == readers).await.unwrap();
    }

    /// Until so many wait for events, which is not answered meanwhile.
    async fn waits<T>(&self, readers: usize, poll: &mut (impl Future<Output = T> + Unpin)) {
        tokio::select! {
            _ = poll => panic!("answered although nothing had happened"),
            () = self.seated(readers) => {}
        }
    }

    async fn stream(&self, caller: &Person, query: &str, last: Option<&str>) -> Stream {
        let request = self.as_person(caller, Method::GET, &format!("/api/events/?{query}"));
        let mut request = request.header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        Stream::new(request.send().await.unwrap())
    }
}

/// A team where the feed has other limits.
async fn team_with(pool: PgPool, limit: impl FnOnce(&mut FeedLimits)) -> Team {
    let mut builder = TestApp::builder(pool);
    limit(&mut builder.settings.feed);
    Team::of(builder.start().await).await
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn position(event: &Value) -> &str {
    event["position"].as_str().unwrap()
}

/// Server-sent events as a client takes them.
struct Stream {
    answer: Response,
    text: String,
}

/// One of them.
#[derive(Debug, Default, PartialEq)]
struct Sent {
    id: Option<String>,
    event: Option<String>,
    data: Option<Value>,
    comment: Option<String>,
}

impl Stream {
    fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Self { answer, text: String::new() }
    }

    /// Whatever comes next; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let sent = frame.lines().fold(Sent::default(), take);
                self.text = rest.to_owned();
                return Some(sent);
            }
            let more = self.answer.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// The next event, with its id.
    async fn event(&mut self) -> Value {
        loop {
            let sent = self.next().await.expect("the stream goes on");
            assert_eq!(sent.event, None, "{sent:?}");
            if let Some(event) = sent.data {
                assert_eq!(sent.id.as_deref(), event["position"].as_str());
                return event;
            }
        }
    }

    /// Goes on until the stream ends, and answers what it said last.
    async fn last(mut self) -> Sent {
        let mut last = Sent::default();
        while let Some(sent) = self.next().await {
            last = sent;
        }
        last
    }
}

fn take(mut sent: Sent, line: &str) -> Sent {
    match line.split_once(": ").unwrap() {
        ("id", id) => sent.id = Some(id.to_owned()),
        ("event", event) => sent.event = Some(event.to_owned()),
        ("data", data) => sent.data = Some(serde_json::from_str(data).unwrap()),
        ("", comment) => sent.comment = Some(comment.to_owned()),
        ("retry", retry) => assert_eq!(retry, "2000"),
        other => panic!("{other:?}"),
    }
    sent
}
