//! A connection to the server that a test can hold up: what a client says is kept from the server until the gate opens.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::PATIENCE;

pub struct Gate {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_closed: watch::Sender<bool>,
    /// Bytes that were kept back.
    held: watch::Sender<usize>,
    /// Bytes that the server has said.
    answered: watch::Sender<usize>,
}

impl Gate {
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let ours = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, to_client) = client.into_split();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(there(from_client, to_server, Arc::clone(&ours)));
                tokio::spawn(back(from_server, to_client, Arc::clone(&ours)));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn close(&self) {
        self.state.held.send_replace(0);
        self.state.is_closed.send_replace(true);
    }

    pub fn open(&self) {
        self.state.answered.send_replace(0);
        self.state.is_closed.send_replace(false);
    }

    /// A message is kept back: more than a ping.
    pub async fn has_held(&self) {
        reached(&self.state.held, 200).await;
    }

    /// An answer to a message has come: more than a pong.
    pub async fn has_answered(&self) {
        reached(&self.state.answered, 50).await;
    }
}

async fn reached(count: &watch::Sender<usize>, least: usize) {
    let mut count = count.subscribe();
    let reached = count.wait_for(|count| *count >= least);
    tokio::time::timeout(PATIENCE, reached).await.expect("it comes about").unwrap();
}

async fn there(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: Arc<State>) {
    let (mut buffer, mut is_closed) = ([0; 65_536], state.is_closed.subscribe());
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(read) if read > 0 => {
                    kept.extend_from_slice(&buffer[..read]);
                    if *is_closed.borrow() {
                        state.held.send_modify(|held| *held += read);
                    }
                }
                _ => return,
            },
            _ = is_closed.changed() => {}
        }
        if !*is_closed.borrow() && to.write_all(&std::mem::take(&mut kept)).await.is_err() {
            return;
        }
    }
}

async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: Arc<State>) {
    let mut buffer = [0; 65_536];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        state.answered.send_modify(|answered| *answered += read);
    }
}
