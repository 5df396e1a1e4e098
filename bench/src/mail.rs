//! From an event to its mail: invitations, sent through an SMTP server in this process that takes everything.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use sqlx::query_as;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::samples::Samples;
use crate::section::Section;
use crate::seed::Plan;
use crate::table::Table;
use crate::world::{World, small};

const MAILS: usize = 200;
const MAILS_QUICK: usize = 40;
const LOOKS_MAX: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the product notes of every mail, from the same clock: when its event was recorded, when the handler noted that it
/// begins, when the server had accepted it.
const NOTED: &str = "select (extract(epoch from f.started_at - e.recorded_at) * 1e6)::bigint, \
     (extract(epoch from f.done_at - e.recorded_at) * 1e6)::bigint \
     from store.effects f join store.events e on e.event_id = f.event_id \
     where f.done_at is not null and e.type = 'organization.invitation_sent' order by e.position";

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let mails = if is_quick { MAILS_QUICK } else { MAILS };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("smtp://{}?tls=none", listener.local_addr()?);
    let server = tokio::spawn(serve(listener));
    let plan = Plan { people: mails + 1, sessions: 1, ..small(1) };
    let world = World::with("mail", &plan, &[("KEYNEST_SMTP_URL", &url)]).await?;
    let organization = world.teams[0].organization;
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    let mut connection = world.instance.connections(1).await?.remove(0);
    for n in 0..mails {
        let body = json!({ "email": format!("invited{n}@example.com"), "role": "viewer" });
        connection.post(&path, Some(&world.tokens[0].access), &body).await?.expect(201)?;
    }
    let noted = noted(&world, mails).await?;
    world.leave().await?;
    server.abort();

    let title = format!(
        "{mails} invitations, one request after the other, each mailed through SMTP without TLS to a server in the bench's \
         process."
    );
    let mut section = Section::new("mail", title);
    let mut table = Table::new("", ["from append to", "mails", "p50, ms", "p99, ms"]);
    let mut samples = serde_json::Map::new();
    for (name, times) in [
        ("handler start", noted.iter().map(|it| it.0).collect::<Vec<_>>()),
        ("accepted by the SMTP server", noted.iter().map(|it| it.1).collect()),
    ] {
        let times: Samples =
            times.into_iter().map(|it| Duration::from_micros(it.unsigned_abs())).collect();
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
            ensure!(noted.iter().all(|it| 0 <= it.0 && it.0 <= it.1), "times run backwards");
            return Ok(noted);
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("not all mails were sent in time")
}

async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        // One that breaks off is the mailer's matter: the section then misses its mail.
        tokio::spawn(converse(stream));
    }
}

/// Takes every mail (RFC 5321, the least of it).
async fn converse(stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).split(b'\n');
    writing.write_all(b"220 bench\r\n").await?;
    let mut is_data = false;
    while let Some(line) = lines.next_segment().await? {
        let answer: &[u8] = match line.trim_ascii_end() {
            b"." if is_data => {
                is_data = false;
                b"250 taken\r\n"
            }
            _ if is_data => continue,
            b"DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            b"QUIT" => b"221 bye\r\n",
            _ => b"250 bench\r\n",
        };
        writing.write_all(answer).await?;
    }
    Ok(())
}
