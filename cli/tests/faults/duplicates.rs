//! Every message of the stream comes twice more, shuffled and under new ids, as if NATS had gone mad.

use async_trait::async_trait;

use crate::carrier;
use crate::checker::Findings;
use crate::fault::Fault;
use crate::world::World;

const COPIES: usize = 2;

#[derive(Default)]
pub struct Duplicates {
    /// Messages that were sent again.
    again: usize,
    /// Where the mailer stood before.
    place: i64,
    wrong: Vec<String>,
}

#[async_trait]
impl Fault for Duplicates {
    fn name(&self) -> &'static str {
        "nats-duplicates"
    }

    fn requests(&self) -> u64 {
        40
    }

    async fn inject(&mut self, world: &mut World) {
        self.place = place(world).await;
        let messages = carrier::messages(&carrier::stream(world).await).await;
        let mut order: Vec<usize> = (0..COPIES).flat_map(|_| 0..messages.len()).collect();
        for end in (1..order.len()).rev() {
            order.swap(end, world.dice.below(end + 1));
        }
        let client = async_nats::connect(world.nats.url()).await.unwrap();
        for (number, index) in order.into_iter().enumerate() {
            let message = &messages[index];
            let mut headers = message.headers.clone();
            headers.insert("Nats-Msg-Id", format!("again-{}-{number}", self.again));
            let (subject, payload) = (message.subject.clone(), message.payload.clone());
            client.publish_with_headers(subject, clean(&headers), payload).await.unwrap();
        }
        client.flush().await.unwrap();
        self.again += COPIES * messages.len();
    }

    async fn heal(&mut self, world: &mut World) {
        let place = place(world).await;
        if place < self.place {
            self.wrong.push(format!("the mailer went back from {} to {place}", self.place));
        }
    }

    async fn check(&mut self, world: &mut World, findings: &mut Findings) {
        self.wrong.drain(..).for_each(|what| findings.add("I5", what));
        let state = carrier::stream(world).await.get_info().await.unwrap().state;
        let there = usize::try_from(state.last_sequence).unwrap();
        findings.count("I5", state.messages);
        if self.again == 0 || there < self.again {
            findings.add("I5", format!("{} of {} copies came", there, self.again));
        }
    }
}

/// Without what binds a message to its place in the stream.
fn clean(headers: &async_nats::HeaderMap) -> async_nats::HeaderMap {
    let mut clean = async_nats::HeaderMap::new();
    for (name, values) in headers.iter() {
        let name: &str = name.as_ref();
        if name.starts_with("ce-") || name == "Nats-Msg-Id" {
            values.iter().for_each(|value| clean.append(name, value.clone()));
        }
    }
    clean
}

async fn place(world: &World) -> i64 {
    let query = "select position from store.consumers where durable = 'mailer'";
    sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap()
}
