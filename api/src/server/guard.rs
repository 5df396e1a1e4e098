//! The stream of one connection: checks what comes in before hyper sees it, and lets nobody wait for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::activity::Activity;
use super::framing::{Framing, HeadRules};
use super::limits::ServerLimits;
use super::refusal::Refusal;

/// Unread input that is thrown away after an early answer, in bytes.
const LINGER_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Size of the pieces in which it is thrown away.
const LINGER_PIECE: usize = 4_096;

/// A stream between the socket and hyper.
pub struct Guard<Io> {
    io: Io,
    limits: Arc<ServerLimits>,
    activity: Arc<Activity>,
    framing: Framing,
    /// Bytes read but not handed on: `passed` of them may be, the rest is half a head.
    held: Vec<u8>,
    passed: usize,
    head_began: Option<Instant>,
    reading: Pin<Box<Sleep>>,
    writing: Option<Pin<Box<Sleep>>>,
    has_ended: bool,
    farewell: Farewell,
}

/// The steps of closing.
enum Farewell {
    NotYet,
    Answer { bytes: Vec<u8>, written: usize },
    Close,
    Linger { bytes: usize },
    Done,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Guard<Io> {
    pub fn new(
        io: Io,
        limits: Arc<ServerLimits>,
        authorities: Arc<[String]>,
        activity: Arc<Activity>,
    ) -> Self {
        let rules = HeadRules {
            bytes_max: limits.head_bytes_max,
            headers_max: limits.headers_max,
            authorities,
        };
        let reading = Box::pin(tokio::time::sleep_until(activity.opened() + limits.first_byte));
        Self {
            io,
            limits,
            activity,
            framing: Framing::new(rules),
            held: Vec::new(),
            passed: 0,
            head_began: None,
            reading,
            writing: None,
            has_ended: false,
            farewell: Farewell::NotYet,
        }
    }

    /// Reads from the socket straight into hyper's buffer, and takes back what may not go on yet.
    /// Ready: there is something for hyper in `buf` or in `held`, or the stream has ended.
    fn poll_socket(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let fresh = &buf.filled()[before..];
        if fresh.is_empty() {
            self.has_ended = true;
        } else if self.held.is_empty() {
            let passed = self.framing.advance(fresh);
            self.held.extend_from_slice(&fresh[passed..]);
            buf.set_filled(before + passed);
        } else {
            self.held.extend_from_slice(fresh);
            buf.set_filled(before);
            self.passed = self.framing.advance(&self.held);
        }
        let is_half_head = self.held.len() > self.passed;
        self.head_began = is_half_head.then(|| self.head_began.unwrap_or_else(Instant::now));
        Poll::Ready(Ok(()))
    }

    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.passed.min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.held.drain(..count);
        self.passed -= count;
        if self.held.is_empty() {
            self.held = Vec::new();
        }
    }

    /// Ready when the client has used up its time.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline();
            if self.reading.deadline() > deadline || self.reading.is_elapsed() {
                if deadline <= Instant::now() {
                    return Poll::Ready(());
                }
                self.reading.as_mut().reset(deadline);
            }
            ready!(self.reading.as_mut().poll(cx));
        }
    }

    fn deadline(&self) -> Instant {
        let is_quiet = match self.framing.is_http2() {
            true => self.activity.is_quiet(),
            false => {
                self.activity.finished() >= self.framing.heads()
                    && self.framing.is_between_requests()
            }
        };
        match self.head_began {
            Some(began) => began + self.limits.header,
            // Somebody works on a request: its own deadlines hold, look again later.
            None if !is_quiet => Instant::now() + self.limits.idle,
            None if self.framing.heads() == 0 && !self.framing.is_http2() => {
                self.activity.opened() + self.limits.first_byte
            }
            None => self.activity.last_end() + self.limits.idle,
        }
    }

    /// After a refusal hyper sees the end of the stream, once the requests before it are answered.
    fn poll_refused(&mut self, refusal: Refusal, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if refusal == Refusal::BrokenBody {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "broken chunked body",
            )));
        }
        self.activity.poll_finished(self.framing.heads(), cx).map(Ok)
    }

    fn first_farewell(&self) -> Farewell {
        match self.framing.refusal() {
            Some(refusal)
                if refusal != Refusal::BrokenBody
                    && self.activity.finished() >= self.framing.heads() =>
            {
                Farewell::Answer { bytes: refusal.answer(), written: 0 }
            }
            Some(_) | None => Farewell::Close,
        }
    }

    /// Whether closing now could take the answer away from a client that is still sending.
    fn has_unread_input(&self) -> bool {
        let is_clean =
            self.framing.is_http2() || (self.framing.is_between_requests() && self.held.is_empty());
        !self.has_ended && (!is_clean || self.framing.refusal().is_some())
    }

    fn poll_linger(&mut self, mut bytes: usize, cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [0; LINGER_PIECE];
        while bytes < LINGER_BYTES_MAX {
            let mut buf = ReadBuf::new(&mut piece);
            match Pin::new(&mut self.io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => bytes += buf.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    self.farewell = Farewell::Linger { bytes };
                    return self.reading.as_mut().poll(cx);
                }
            }
        }
        Poll::Ready(())
    }

    fn poll_write_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let patience = self.limits.write_stall;
        let timer = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        timer
            .as_mut()
            .poll(cx)
            .map(|()| io::Error::new(io::ErrorKind::TimedOut, "the client takes no bytes"))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<Io> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            if this.passed > 0 {
                this.hand_on(buf);
            }
            if buf.filled().len() > before || this.has_ended {
                return Poll::Ready(Ok(()));
            }
            if let Some(refusal) = this.framing.refusal() {
                return this.poll_refused(refusal, cx);
            }
            match this.poll_socket(cx, buf) {
                Poll::Ready(result) => result?,
                Poll::Pending => {
                    ready!(this.poll_patience(cx));
                    match this.head_began {
                        Some(_) => this.framing.refuse(Refusal::HeadTooSlow),
                        None => this.has_ended = true,
                    }
                }
            }
        }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<Io> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_write(cx, bytes) {
            this.writing = None;
            return Poll::Ready(result);
        }
        this.poll_write_patience(cx).map(Err)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_write_vectored(cx, pieces) {
            this.writing = None;
            return Poll::Ready(result);
        }
        this.poll_write_patience(cx).map(Err)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self;
        loop {
            let next = match &mut this.farewell {
                Farewell::NotYet => this.first_farewell(),
                Farewell::Answer { bytes, written } if *written == bytes.len() => Farewell::Close,
                Farewell::Answer { bytes, written } => {
                    let (bytes, written) = (std::mem::take(bytes), *written);
                    let result = this.as_mut().poll_write(cx, &bytes[written..]);
                    let count = if let Poll::Ready(Ok(count)) = &result { *count } else { 0 };
                    this.farewell = Farewell::Answer { bytes, written: written + count };
                    ready!(result)?;
                    continue;
                }
                Farewell::Close => {
                    ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
                    let deadline = Instant::now() + this.limits.linger;
                    this.reading.as_mut().reset(deadline);
                    if this.has_unread_input() {
                        Farewell::Linger { bytes: 0 }
                    } else {
                        Farewell::Done
                    }
                }
                Farewell::Linger { bytes } => {
                    let bytes = *bytes;
                    ready!(this.poll_linger(bytes, cx));
                    Farewell::Done
                }
                Farewell::Done => return Poll::Ready(Ok(())),
            };
            this.farewell = next;
        }
    }
}
