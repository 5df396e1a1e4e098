//! From sealed rows to clear values: the reading is in the log before any value is opened (DESIGN 6).

use std::future::Future;

use keynest_commands::CommandError;
use keynest_commands::access::{Read, Revealed};
use keynest_domain::{Permission, Place};
use keynest_projections::{Listed, QueryError, VariableRow, value_context};

use super::shape::{UNREADABLE, Variable};
use crate::core::MODELS;
use crate::extract::Principal;
use crate::{App, Problem};

/// Times that a query is asked again because the organization changed under it.
pub const ATTEMPTS_MAX: u32 = 5;

/// The rows of a query, in clear as far as the caller may read them.
pub async fn all<F>(
    app: &App,
    caller: &Principal,
    load: impl Fn() -> F,
) -> Result<Listed<Variable>, Problem>
where
    F: Future<Output = Result<Listed<VariableRow>, QueryError>>,
{
    for _ in 0..ATTEMPTS_MAX {
        let listed = load().await?;
        let recorded =
            app.commands.record_reads(&caller.origin, &reads(caller, &listed.items)).await;
        match recorded.map_err(unrecorded)? {
            Revealed::Recorded(_) => {
                let items = open(app, caller, listed.items).await?;
                return Ok(Listed { total: listed.total, items });
            }
            Revealed::Stale { .. } => settle(app).await?,
        }
    }
    Err(Problem::new("audit_unavailable"))
}

/// The row of a query, in clear if the caller may read it.
pub async fn one<F>(
    app: &App,
    caller: &Principal,
    load: impl Fn() -> F,
) -> Result<Option<Variable>, Problem>
where
    F: Future<Output = Result<Option<VariableRow>, QueryError>>,
{
    let load = || {
        let row = load();
        async { row.await.map(|row| Listed { total: 1, items: Vec::from_iter(row) }) }
    };
    Ok(all(app, caller, load).await?.items.pop())
}

/// Why nothing is shown: the caller may not see it now, or nobody could write down that it was seen.
pub fn unrecorded(error: CommandError) -> Problem {
    if matches!(error, CommandError::Denied { .. } | CommandError::Session(_)) {
        return error.into();
    }
    Problem::new("audit_unavailable").caused_by(&error)
}

/// Waits until the read models show all that is in the log now.
pub async fn settle(app: &App) -> Result<(), Problem> {
    let head = app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))?;
    app.wait_for(Some(head), MODELS).await;
    Ok(())
}

fn is_readable(caller: &Principal, row: &VariableRow) -> bool {
    let place = Place::environment(row.organization, row.project, row.environment);
    caller.require(place, Some(row.role), Permission::ReadValues).is_ok()
}

/// What is about to be read, by organization.
fn reads(caller: &Principal, rows: &[VariableRow]) -> Vec<Read> {
    let mut reads: Vec<Read> = Vec::new();
    for row in rows.iter().filter(|row| is_readable(caller, row)) {
        match reads.iter_mut().find(|read| read.organization == row.organization) {
            Some(read) => read.variables.push(row.id),
            None => reads.push(Read {
                organization: row.organization,
                revision: row.organization_revision,
                variables: vec![row.id],
            }),
        }
    }
    reads
}

async fn open(
    app: &App,
    caller: &Principal,
    rows: Vec<VariableRow>,
) -> Result<Vec<Variable>, Problem> {
    let readable = rows.iter().filter(|row| is_readable(caller, row));
    let keys = app.commands.keyring().opening_keys(readable.map(|row| &row.value)).await;
    let keys = keys.map_err(|error| Problem::unavailable(&error))?;
    let shown = |row: VariableRow| {
        if !is_readable(caller, &row) {
            return Variable::hidden(row);
        }
        let context = value_context(row.environment, row.id, row.version);
        let value = keys.open_text(&context, &row.value).ok().flatten();
        let value = value.map_or_else(|| UNREADABLE.to_owned(), |text| text.as_str().to_owned());
        Variable::shown(row, value)
    };
    Ok(rows.into_iter().map(shown).collect())
}
