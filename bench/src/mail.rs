//! From an event to its mail: invitations, sent through an SMTP server in this process that takes everything.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use keynest_commands::Clock;
use serde_json::json;
use sqlx::query_as;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::samples::Samples;
use crate::section::Section;
use crate::table::Table;
use crate::world::{World, small};

const MAILS: usize = 200;
const MAILS_QUICK: usize = 40;
const MAIL_MAX: Duration = Duration::from_secs(10);
const LOOKS_MAX: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// When an event was recorded and when its handler noted that it begins, in microseconds of the same clock.
const NOTED: &str = "select (extract(epoch from e.recorded_at) * 1e6)::bigint, (extract(epoch from f.started_at) * 1e6)::bigint \
     from store.effects f join store.events e on e.event_id = f.event_id \
     where f.done_at is not null and e.type = 'organization.invitation_sent' order by e.position";
/// When each recipient's mail was accepted, in microseconds.
type Accepted = watch::Sender<HashMap<String, i64>>;

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let mails = if is_quick { MAILS_QUICK } else { MAILS };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("smtp://{}?tls=none", listener.local_addr()?);
    let accepted = Accepted::default();
    let server = tokio::spawn(serve(listener, accepted.clone()));
    let world = World::with("mail", &small(1), &[("KEYNEST_SMTP_URL", &url)]).await?;
    let organization = world.teams[0].organization;
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    let mut connection = world.instance.connections(1).await?.remove(0);
    for n in 0..2 * mails {
        let body = json!({ "email": invited(n), "role": "viewer" });
        connection.post(&path, Some(&world.tokens[0].access), &body).await?.expect(201)?;
        // Half of them one by one, the others as fast as they are answered.
        if n < mails {
            let mut all = accepted.subscribe();
            timeout(MAIL_MAX, all.wait_for(|all| all.len() > n)).await.context("no mail")??;
        }
    }
    let noted = noted(&world, 2 * mails).await?;
    let accepted = accepted.borrow().clone();
    world.leave().await?;
    server.abort();

    let title = format!(
        "{mails} invitations, each when the mail of the one before was accepted, and {mails} one request after the other; mailed \
         through SMTP without TLS to a server in the bench's process."
    );
    let mut section = Section::new("mail", title);
    let mut table =
        Table::new("", ["invitations", "from append to", "mails", "p50, ms", "p99, ms"]);
    let mut samples = serde_json::Map::new();
    for (how, part) in [("one at a time", 0..mails), ("a burst", mails..2 * mails)] {
        let (mut started, mut taken) = (Samples::default(), Samples::default());
        for n in part {
            let (recorded, begun) = noted[n];
            let at =
                accepted.get(&invited(n)).with_context(|| format!("no mail to {}", invited(n)))?;
            started.push(Duration::from_micros(u64::try_from(begun - recorded)?));
            taken.push(Duration::from_micros(u64::try_from(at - recorded)?));
        }
        for (name, times) in [("handler start", started), ("accepted by the SMTP server", taken)] {
            let told = [times.median(), times.percentile(99)].map(|it| format!("{it:.2}"));
            let cells = [how.to_owned(), name.to_owned(), mails.to_string()];
            table.row(cells.into_iter().chain(told));
            samples.insert(format!("{how}: {name} (us)"), json!(times.micros()));
        }
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
        tokio::spawn(converse(stream, accepted.clone()));
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
                let (recipient, now) = (std::mem::take(&mut recipient), clock.now().micros());
                accepted.send_modify(|all| {
                    all.insert(recipient, now);
                });
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
