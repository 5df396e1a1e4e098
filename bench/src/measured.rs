//! Loads of several kinds by several numbers of connections: what sections about HTTP show of them.

use serde_json::Value;

use crate::load::Load;
use crate::plot::Plot;
use crate::processor::Spent;
use crate::table::Table;

/// Of the table.
const COSTS: &str = "The last three columns: processor time of each for one request, whatever else runs on the machine.";

/// What was asked for.
pub trait Kind: Copy + PartialEq + 'static {
    /// In the order of the tables.
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

/// Load of one kind by so many connections.
pub struct Measured<K> {
    pub kind: K,
    pub load: Load,
    /// By whom, for it.
    pub spent: Spent,
}

/// One row each; the first column is called so.
pub fn table<K: Kind>(first: &str, all: &[Measured<K>]) -> Table {
    let head = [
        first,
        "connections",
        "per second",
        "p50, ms",
        "p99, ms",
        "errors",
        "KeyNest, µs",
        "Postgres, µs",
        "load, µs",
    ];
    let mut table = Table::new(COSTS, head);
    for Measured { kind, load, spent } in all {
        let cells = [kind.name().to_owned(), load.clients.to_string()];
        table.row(cells.into_iter().chain(load.cells()).chain(spent.cells(load.all)));
    }
    table
}

/// Calls a second over connections, a line for each kind.
pub fn plot<K: Kind>(title: &str, all: &[Measured<K>]) -> Plot {
    let mut plot = Plot::new(title, "connections", "per second");
    for kind in K::ALL {
        let loads = all.iter().filter(|it| it.kind == *kind).map(|it| &it.load);
        plot.line(kind.name(), loads.map(|it| (it.clients as f64, it.rate())).collect());
    }
    plot
}

/// Percentiles of each kind at one number of connections.
pub fn curves<K: Kind>(title: &str, connections: usize, all: &[Measured<K>]) -> Plot {
    let mut plot = Plot::new(format!("{title} at {connections} connections"), "percentile", "ms");
    for it in all.iter().filter(|it| it.load.clients == connections) {
        plot.line(it.kind.name(), it.load.samples.curve());
    }
    plot
}

/// Calls a second of one kind at one number of connections; none if that was not measured.
pub fn rate<K: Kind>(kind: K, connections: usize, all: &[Measured<K>]) -> f64 {
    let found = all.iter().find(|it| it.kind == kind && it.load.clients == connections);
    found.map_or(0.0, |it| it.load.rate())
}

pub fn samples<K: Kind>(all: &[Measured<K>]) -> Value {
    all.iter().map(|it| it.load.to_json(it.kind.name())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Two {
        One,
        Other,
    }

    impl Kind for Two {
        const ALL: &'static [Self] = &[Self::One, Self::Other];

        fn name(self) -> &'static str {
            match self {
                Self::One => "one",
                Self::Other => "other",
            }
        }
    }

    fn of(kind: Two, clients: usize, calls: usize) -> Measured<Two> {
        let samples = (0..calls).map(|_| Duration::from_millis(4)).collect();
        let elapsed = Duration::from_secs(2);
        let load = Load { clients, samples, elapsed, ..Load::default() };
        Measured { kind, load, spent: Spent::default() }
    }

    #[test]
    fn lines_rates_and_rows_belong_to_their_kind_and_connections() {
        let all = [of(Two::One, 1, 10), of(Two::One, 64, 40), of(Two::Other, 64, 6)];
        assert_eq!((rate(Two::One, 64, &all), rate(Two::Other, 1, &all)), (20.0, 0.0));
        let lines = plot("", &all).lines;
        assert_eq!(lines[0], ("one".to_owned(), vec![(1.0, 5.0), (64.0, 20.0)]));
        assert_eq!(lines[1], ("other".to_owned(), vec![(64.0, 3.0)]));
        let curves = curves("", 64, &all).lines;
        assert_eq!((curves.len(), curves[1].1[0].1), (2, 4.0));
        let rows = table("kind", &all).rows;
        assert_eq!(rows[1][..5], ["one", "64", "20", "4.00", "4.00"]);
    }
}
