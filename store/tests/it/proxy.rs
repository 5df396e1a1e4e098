//! A proxy that cuts the wire at a request that it knows, before or after the server has it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Stands in the request at which the planned action is taken.
pub const MARKER: &str = "the-wire-is-cut-here";
/// A frame of HTTP/2: its length, its type among others, and the type that begins an answer.
const FRAME_HEADER: usize = 9;
const HEADERS: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The server never has it.
    CutBefore,
    /// The server has it, and the answer is lost, once the test says so.
    CutAfter,
    /// The caller is cut off, and the server has it only once the test says so.
    Hold,
}

pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    target: String,
    action: Mutex<Option<Action>>,
    refuses: AtomicBool,
    reached: Notify,
    go: Notify,
    answered: Notify,
}

impl Proxy {
    /// To the server of an address as the backend has it.
    pub async fn to(url: &str) -> Self {
        let (_, place) = url.split_once("://").unwrap();
        let state = Arc::new(State {
            target: place.split('?').next().unwrap().to_owned(),
            action: Mutex::default(),
            refuses: AtomicBool::default(),
            reached: Notify::new(),
            go: Notify::new(),
            answered: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !accepting.refuses.load(Ordering::Relaxed) {
                    tokio::spawn(pass(Arc::clone(&accepting), client));
                }
            }
        });
        Self { port, state }
    }

    /// For the next request with the marker.
    pub fn plan(&self, action: Action) {
        *self.state.action.lock().unwrap() = Some(action);
    }

    pub fn is_done(&self) -> bool {
        self.state.action.lock().unwrap().is_none()
    }

    /// Whether connections end as soon as they are there.
    pub fn refuse(&self, refuses: bool) {
        self.state.refuses.store(refuses, Ordering::Relaxed);
    }

    pub async fn reached(&self) {
        self.state.reached.notified().await;
    }

    pub fn go(&self) {
        self.state.go.notify_one();
    }

    /// The server has answered what was held.
    pub async fn answered(&self) {
        self.state.answered.notified().await;
    }
}

async fn pass(state: Arc<State>, mut client: TcpStream) {
    let Ok(mut server) = TcpStream::connect(&state.target).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut asked, mut told) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(bytes @ 1..) = read else { return };
                let asked = &asked[..bytes];
                let is_known = asked.windows(MARKER.len()).any(|it| it == MARKER.as_bytes());
                let action = if is_known { state.action.lock().unwrap().take() } else { None };
                match action {
                    Some(Action::CutBefore) => return,
                    Some(Action::CutAfter) => {
                        server.write_all(asked).await.unwrap();
                        state.reached.notify_one();
                        state.go.notified().await;
                        return;
                    }
                    Some(Action::Hold) => {
                        drop(client);
                        state.go.notified().await;
                        server.write_all(asked).await.unwrap();
                        until_answered(&mut server).await;
                        state.answered.notify_one();
                        return;
                    }
                    None => if server.write_all(asked).await.is_err() { return },
                }
            }
            read = server.read(&mut told) => {
                let Ok(bytes @ 1..) = read else { return };
                if client.write_all(&told[..bytes]).await.is_err() { return }
            }
        }
    }
}

/// Until a frame comes that begins an answer.
async fn until_answered(server: &mut TcpStream) {
    let mut header = [0; FRAME_HEADER];
    while server.read_exact(&mut header).await.is_ok() {
        let length =
            usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let mut frame = vec![0; length];
        server.read_exact(&mut frame).await.unwrap();
        if header[3] == HEADERS {
            return;
        }
    }
}
