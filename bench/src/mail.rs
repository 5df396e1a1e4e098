//! From an event to its mail: invitations, sent through an SMTP server in this process that takes everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use keynest_commands::Clock;
use serde_json::json;
use sqlx::query_as;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::samples::Samples;
use crate::section::Section;
use crate::table::Table;
use crate::world::{World, small};

const MAILS: usize = 200;
const MAILS_QUICK: usize = 40;
const LOOKS_MAX: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// When an event was recorded and when its handler noted that it begins, in microseconds of the same clock.
const NOTED: &str = "select (extract(epoch from e.recorded_at) * 1e6)::bigint, (extract(epoch from f.started_at) * 1e6)::bigint \
     from store.effects f join store.events e on e.event_id = f.event_id \
     where f.done_at is not null and e.type = 'organization.invitation_sent' order by e.position";
/// When each recipient's mail was accepted, in microseconds.
type Accepted = Arc<Mutex<HashMap<String, i64>>>;

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let mails = if is_quick { MAILS_QUICK } else { MAILS };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("smtp://{}?tls=none", listener.local_addr()?);
    let accepted = Accepted::default();
    let server = tokio::spawn(serve(listener, Arc::clone(&accepted)));
    let world = World::with("mail", &small(1), &[("KEYNEST_SMTP_URL", &url)]).await?;
    let organization = world.teams[0].organization;
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    let mut connection = world.instance.connections(1).await?.remove(0);
    for n in 0..mails {
        let body = json!({ "email": invited(n), "role": "viewer" });
        connection.post(&path, Some(&world.tokens[0].access), &body).await?.expect(201)?;
    }
    let noted = noted(&world, mails).await?;
    let accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    world.leave().await?;
    server.abort();

    let title = format!(
        "{mails} invitations, one request after the other, each mailed through SMTP without TLS to a server in the bench's \
         process."
    );
    let mut section = Section::new("mail", title);
    let mut table = Table::new("", ["from append to", "mails", "p50, ms", "p99, ms"]);
    let mut samples = serde_json::Map::new();
    let (mut started, mut taken) = (Samples::default(), Samples::default());
    for (n, (recorded, begun)) in noted.into_iter().enumerate() {
        let at = accepted.get(&invited(n)).with_context(|| format!("no mail to {}", invited(n)))?;
        started.push(Duration::from_micros(u64::try_from(begun - recorded)?));
        taken.push(Duration::from_micros(u64::try_from(at - recorded)?));
    }
    for (name, times) in [("handler start", started), ("accepted by the SMTP server", taken)] {
        let (p50, p99) = (times.median(), times.percentile(99));
        table.row([name.to_owned(), mails.to_string(), format!("{p50:.2}"), format!("{p99:.2}")]);
        samples.insert(format!("{name} (us)"), json!(times.micros()));
    }
    section.tables.push(table);
    section.samples = samples.into();
    Ok(section)
}

async fn noted(world: &World, mails: usize) -> anyhow::Result<Vec<(i64, i64)>> {
    let mut connection = world.place.connect().await?;
    for _ in 0..LOOKS_MAX {
        let noted: Vec<(i64, i64)> = query_as(NOTED).fetch_all(&mut connection).await?;
        if noted.len() >= mails {
            ensure!(noted.iter().all(|it| it.0 <= it.1), "times run backwards");
            return Ok(noted);
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("not all mails were sent in time")
}

fn invited(n: usize) -> String {
    format!("invited{n}@example.com")
}

async fn serve(listener: TcpListener, accepted: Accepted) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        // One that breaks off is the mailer's matter: the section then misses its mail.
        tokio::spawn(converse(stream, Arc::clone(&accepted)));
    }
}

/// Takes every mail (RFC 5321, the least of it).
async fn converse(stream: TcpStream, accepted: Accepted) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).split(b'\n');
    writing.write_all(b"220 bench\r\n").await?;
    let (clock, mut is_data, mut recipient) = (Clock::default(), false, String::new());
    while let Some(line) = lines.next_segment().await? {
        let answer: &[u8] = match line.trim_ascii_end() {
            b"." if is_data => {
                is_data = false;
                let mut accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
                accepted.insert(std::mem::take(&mut recipient), clock.now().micros());
                b"250 taken\r\n"
            }
            _ if is_data => continue,
            b"DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            b"QUIT" => b"221 bye\r\n",
            other => {
                if let Some(address) = other.strip_prefix(b"RCPT TO:<") {
                    let address = address.split(|it| *it == b'>').next().unwrap_or_default();
                    recipient = String::from_utf8_lossy(address).into_owned();
                }
                b"250 bench\r\n"
            }
        };
        writing.write_all(answer).await?;
    }
    Ok(())
}
