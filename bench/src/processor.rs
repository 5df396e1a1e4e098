//! Processor time of the processes that share the machine: what a request costs, whatever else runs beside. The clock ticks in
//! hundredths of a second, so spans of a second and more are worth a look.

use anyhow::Context;
use sqlx::{PgConnection, query_scalar};

/// Of a tick, in microseconds; Linux tells user space nothing else.
const TICK_MICROS: u64 = 10_000;

/// Who is looked at.
pub struct Watch {
    product: u32,
    postmaster: u32,
}

/// Microseconds since the processes began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub product: u64,
    pub postgres: u64,
    pub load: u64,
}

/// What `/proc/<id>/stat` says.
struct Stat {
    parent: u32,
    /// Of itself, and of its children that have ended.
    own: u64,
    ended: u64,
}

impl Watch {
    pub async fn new(product: u32, connection: &mut PgConnection) -> anyhow::Result<Self> {
        let backend: i32 = query_scalar("select pg_backend_pid()").fetch_one(connection).await?;
        let postmaster = stat(backend.unsigned_abs()).context("look at Postgres")?.parent;
        Ok(Self { product, postmaster })
    }

    /// Until now.
    pub fn spent(&self) -> anyhow::Result<Spent> {
        let postmaster = stat(self.postmaster).context("look at Postgres")?;
        let mut postgres = postmaster.own + postmaster.ended;
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let process = name.to_str().and_then(|it| it.parse().ok()).and_then(stat);
            postgres += process.filter(|it| it.parent == self.postmaster).map_or(0, |it| it.own);
        }
        let own = |id| stat(id).map(|it| it.own).context("look at a process");
        Ok(Spent { product: own(self.product)?, postgres, load: own(std::process::id())? })
    }
}

impl Spent {
    pub fn since(self, before: Self) -> Self {
        Self {
            product: self.product.saturating_sub(before.product),
            postgres: self.postgres.saturating_sub(before.postgres),
            load: self.load.saturating_sub(before.load),
        }
    }

    /// Cells of a row: microseconds of each for one of so many requests.
    pub fn cells(self, requests: usize) -> [String; 3] {
        [self.product, self.postgres, self.load].map(|spent| match requests {
            0 => String::new(),
            requests => format!("{:.0}", spent as f64 / requests as f64),
        })
    }
}

/// `None`: there is no such process any more.
fn stat(id: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// The name may hold anything, so that fields count from the last bracket (proc_pid_stat(5)).
fn parse(told: &str) -> Option<Stat> {
    let fields: Vec<&str> = told.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: (ticks(11)? + ticks(12)?) * TICK_MICROS,
        ended: (ticks(13)? + ticks(14)?) * TICK_MICROS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let told = "42 (a) b (c) S 7 42 42 0 -1 4194560 9 8 7 6 120 30 11 22 20 0 1 0 5 0 0";
        let stat = parse(told).unwrap();
        assert_eq!((stat.parent, stat.own, stat.ended), (7, 1_500_000, 330_000));
        assert!(parse("42 (short) S 7").is_none());
    }

    #[test]
    fn a_request_costs_its_part_of_what_was_spent() {
        let before = Spent { product: 10, postgres: 20, load: 30 };
        let after = Spent { product: 1_010, postgres: 4_020, load: 30 };
        assert_eq!(after.since(before).cells(100), ["10", "40", "0"]);
        assert_eq!(after.cells(0), ["", "", ""]);
    }

    #[test]
    fn this_process_has_spent_something() {
        assert!(stat(std::process::id()).is_some_and(|it| it.parent > 0));
    }
}
