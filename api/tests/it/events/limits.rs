//! Many readers, and slow ones.

use std::time::Duration;

use keynest_api::server::{ServerLimits, ServerOptions, Stop};
use keynest_api::{EdgeSettings, edge, server};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::*;

#[sqlx::test(migrations = false)]
async fn readers_are_counted_by_caller_and_altogether(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    builder.settings.feed.readers_max = 3;
    builder.settings.feed.readers_per_caller_max = 2;
    let team = Team::of(builder.start().await).await;
    let Team { app, admin, editor, viewer, .. } = &team;
    let one = app.stream(admin, "", None).await;
    let two = app.stream(admin, "", None).await;
    let refused = app.as_person(admin, Method::GET, "/api/events/").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    let told: Value = refused.json().await.unwrap();
    assert_eq!((&told["status"], &told["code"]), (&json!(429), &json!("too_many_readers")));
    let three = app.stream(editor, "", None).await;
    let refused = app.read(viewer, "/api/events/").await.expect(503);
    assert_eq!(refused.body["code"], "busy");
    drop((one, two));
    app.seated(1).await;
    app.events(viewer, ALL).await;
    drop(three);
    app.seated(0).await;
}

#[sqlx::test(migrations = false)]
async fn an_answer_has_no_more_bytes_than_it_may(pool: PgPool) {
    let team = team_with(pool, |feed| feed.page_bytes_max = 2_000).await;
    let Team { app, admin, .. } = &team;
    let (mut met, mut after) = (Vec::new(), "start".to_owned());
    loop {
        let (events, place) = app.events(admin, &format!("{ALL}&after={after}")).await;
        if events.is_empty() {
            break;
        }
        let sizes: Vec<usize> = events.iter().map(|it| it.to_string().len()).collect();
        let whole: usize = sizes.iter().sum();
        assert!(whole - sizes[sizes.len() - 1] < 2_000, "{sizes:?}");
        met.extend(ids(&events));
        after = place;
    }
    assert_eq!(met.len(), met.iter().collect::<std::collections::BTreeSet<_>>().len());
    assert!(met.len() > 10);
}

/// Small buffers on both sides, so that a reader who does not read is soon noticed.
const BUFFER: u32 = 4_096;

#[sqlx::test(migrations = false)]
async fn a_reader_who_takes_nothing_is_let_go_and_nobody_waits_for_it(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, environment, .. } = &team;
    let listen = TcpSocket::new_v4().unwrap();
    listen.set_send_buffer_size(BUFFER).unwrap();
    listen.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listen.listen(16).unwrap();
    let address = listener.local_addr().unwrap();
    let stall = Duration::from_millis(200);
    let limits = ServerLimits { write_stall: stall, ..ServerLimits::default() };
    let options = ServerOptions { limits, ..ServerOptions::default() };
    let stop = Stop::default();
    let service = edge(app.app.clone(), &EdgeSettings::default());
    tokio::spawn(server::serve(listener, service, options, stop.clone()));

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(BUFFER).unwrap();
    let mut slow = socket.connect(address).await.unwrap();
    let head = format!(
        "GET /api/events/?after=end HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
         Authorization: Bearer {}\r\n\r\n",
        admin.access
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    app.seated(1).await;
    let mut quick = app.stream(admin, "after=end&type=environment.variable_created", None).await;
    let lines: String = (0..900).map(|key| format!("KEY_{key}=x\n")).collect();
    let path = format!("environments/{environment}/import/");
    app.make(admin, &path, json!({"data": lines})).await.expect(200);
    for _ in 0..900 {
        quick.event().await;
    }
    // The slow one has lost its place, and what it can still read is what the buffers held.
    app.seated(1).await;
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    let told = String::from_utf8_lossy(&rest);
    let told = told.matches("environment.variable_created").count();
    assert!(told < 900, "{told}");
    stop.now.cancel();
}
