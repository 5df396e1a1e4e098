//! A mail server that behaves as it is told, and remembers every mail that it took.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::wire::Wires;

/// How long it thinks about a sender when it is slow.
const THOUGHT: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Thinks about every sender for a while: a mail is under way at most moments.
    Slow,
    /// Nobody listens.
    Down,
    /// Greets with 421, or answers so on a connection that there is, and hangs up.
    Closing,
    /// 451 to every recipient.
    Later,
    /// 550 to every other recipient.
    Refusing,
    /// Takes the mail, and the connection breaks before the answer.
    DropsAfterDot,
}

/// One mail as it came in.
#[derive(Clone, Debug)]
pub struct Mail {
    pub recipient: String,
    pub message_id: String,
    /// The links in it.
    pub links: Vec<String>,
    pub at: Instant,
    /// Whether the sender was told that it was taken.
    pub is_answered: bool,
}

#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    mood: watch::Sender<Mood>,
    mails: Arc<Mutex<HashMap<String, Vec<Mail>>>>,
    /// Mails that were begun while it was slow.
    begun: watch::Sender<usize>,
    /// Recipients that were refused for good, and mails that came after the first of them.
    refused: watch::Sender<(usize, usize)>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Wires::listen(), 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mood = watch::Sender::new(Mood::Well);
        let (begun, refused) = (watch::Sender::default(), watch::Sender::default());
        let sink = Self { port, mood, mails: Arc::default(), begun, refused };
        tokio::spawn(sink.clone().listen(listener));
        sink
    }

    pub fn feel(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Everything that came for an address.
    pub fn to(&self, recipient: &str) -> Vec<Mail> {
        self.mails.lock().unwrap().get(recipient).cloned().unwrap_or_default()
    }

    pub fn all(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().values().flatten().cloned().collect()
    }

    /// Recipients that were refused for good so far.
    pub fn refused(&self) -> usize {
        self.refused.borrow().0
    }

    /// A mail is under way, while it is slow.
    pub async fn until_one_begins(&self) {
        self.begun.subscribe().changed().await.unwrap();
    }

    /// Somebody is refused, while that is the mood.
    pub async fn until_refused(&self) {
        self.refused.subscribe().wait_for(|(refused, _)| *refused > 0).await.unwrap();
    }

    /// A mail came after that.
    pub async fn until_another_came(&self) {
        self.refused.subscribe().wait_for(|(_, after)| *after > 0).await.unwrap();
    }

    async fn listen(self, listener: TcpListener) {
        let mut listener = Some(listener);
        let mut mood = self.mood.subscribe();
        loop {
            let now = *mood.borrow_and_update();
            if now == Mood::Down {
                listener = None;
                mood.changed().await.unwrap();
                continue;
            }
            if listener.is_none() {
                listener = TcpListener::bind((Wires::listen(), self.port)).await.ok();
            }
            let Some(open) = &listener else {
                tokio::task::yield_now().await;
                continue;
            };
            tokio::select! {
                taken = open.accept() => if let Ok((stream, _)) = taken {
                    tokio::spawn(self.clone().talk(stream));
                },
                _ = mood.changed() => {}
            }
        }
    }

    /// Until the other side leaves, or nobody is to be here any more.
    async fn talk(self, mut stream: TcpStream) {
        let mut mood = self.mood.subscribe();
        let (reader, writer) = stream.split();
        tokio::select! {
            _ = self.converse(BufReader::new(reader), writer) => {}
            _ = mood.wait_for(|mood| *mood == Mood::Down) => {}
        }
    }

    async fn converse(
        &self,
        mut reader: BufReader<impl AsyncRead + Unpin>,
        mut writer: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let is_closing = *self.mood.borrow() == Mood::Closing;
        let greeting = if is_closing { "421 closing\r\n" } else { "220 sink\r\n" };
        writer.write_all(greeting.as_bytes()).await?;
        let (mut recipient, mut line) = (String::new(), String::new());
        if is_closing {
            return Ok(());
        }
        loop {
            line.clear();
            if reader.read_line(&mut line).await? == 0 {
                break;
            }
            let verb = line.get(..4).unwrap_or("").to_ascii_uppercase();
            let mood = *self.mood.borrow();
            if mood == Mood::Closing {
                return writer.write_all(b"421 closing\r\n").await;
            }
            let answer = match verb.as_str() {
                "EHLO" => "250-sink\r\n250 SMTPUTF8",
                "RCPT" if mood == Mood::Later => "451 later",
                "RCPT" if mood == Mood::Refusing && is_refused(&line) => {
                    self.refused.send_modify(|(refused, _)| *refused += 1);
                    "550 no such person"
                }
                "RCPT" => {
                    recipient = between(&line, "<", ">").to_owned();
                    "250 known"
                }
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await?;
                    let text = body(&mut reader).await?;
                    let is_answered = *self.mood.borrow() != Mood::DropsAfterDot;
                    self.take(&recipient, &text, is_answered);
                    if !is_answered {
                        return Ok(());
                    }
                    "250 taken"
                }
                "MAIL" if mood == Mood::Slow => {
                    self.begun.send_modify(|begun| *begun += 1);
                    tokio::time::sleep(THOUGHT).await;
                    "250 fine"
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn take(&self, recipient: &str, text: &str, is_answered: bool) {
        // Quoted-printable: soft line ends and the equals sign are all that a link can have of it.
        let text = text.replace("=\r\n", "").replace("=3D", "=");
        let header = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        let links = text.lines().filter(|line| line.starts_with("http"));
        let mail = Mail {
            recipient: recipient.to_owned(),
            message_id: header("Message-ID:"),
            links: links.map(|link| link.trim().to_owned()).collect(),
            at: Instant::now(),
            is_answered,
        };
        self.refused.send_if_modified(|(refused, after)| {
            *after += usize::from(*refused > 0);
            *refused > 0
        });
        self.mails.lock().unwrap().entry(recipient.to_owned()).or_default().push(mail);
    }
}

/// Actors with an odd number.
fn is_refused(line: &str) -> bool {
    let name = between(line, "<", "@");
    name.bytes().last().is_some_and(|byte| byte % 2 == 1)
}

async fn body(reader: &mut BufReader<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let (mut text, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(&line);
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside)
}
