//! One connection to a server that is kept alive, for load: hyper's client half without a pool, so that the load generator
//! takes as little as possible of the cores that it shares.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Says that a change was not visible when it was answered.
const VISIBLE: &str = "keynest-visible";

/// An open connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    address: String,
}

/// An answer, read to its end.
pub struct Reply {
    pub status: u16,
    pub body: Bytes,
}

impl Connection {
    /// To `host:port`.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; what goes wrong is heard there.
        tokio::spawn(connection);
        Ok(Self { sender, address: address.to_owned() })
    }

    /// Sends a request and reads its answer. Fails if a change was made but is not visible yet.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        access: Option<&str>,
        body: Option<Bytes>,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.address);
        if let Some(access) = access {
            request = request.header(AUTHORIZATION, format!("Bearer {access}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body.unwrap_or_default()))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let is_invisible = response.headers().get(VISIBLE).is_some_and(|it| it == "false");
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(!is_invisible, "{path} was not visible in time");
        Ok(Reply { status, body })
    }

    pub async fn get(&mut self, path: &str, access: Option<&str>) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, access, None).await
    }

    pub async fn post(
        &mut self,
        path: &str,
        access: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        self.send(Method::POST, path, access, Some(body)).await
    }
}

impl Reply {
    /// Fails unless it has this status: what is measured must be what was meant.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        let start = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]);
        ensure!(self.status == status, "{status} was expected: {} {start}", self.status);
        Ok(self)
    }

    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("read the answer as JSON")
    }
}
