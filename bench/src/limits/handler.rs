//! The bare handlers under load.

use crate::bare;
use crate::http::Connection;
use crate::instance::Instance;
use crate::load::{Caller, Load, Span, closed};
use crate::seed::Team;

struct Client {
    connection: Connection,
    path: String,
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        self.connection.get(&self.path, None).await?.expect(200)?;
        Ok(true)
    }
}

/// One connection asks for one team's values again and again.
pub async fn measure(
    server: &Instance,
    route: &str,
    teams: &[Team],
    connections: usize,
    span: Span,
) -> anyhow::Result<Load> {
    let open = server.connections(connections).await?;
    let clients = open.into_iter().zip(teams.iter().cycle());
    let clients = clients.map(|(connection, team)| {
        let path = bare::path(route, team);
        Client { connection, path }
    });
    Ok(closed(clients.collect(), span).await?.0)
}
