//! What was wanted (DESIGN 10) beside what was reached: a limit of this machine from the same run, and the ratio to it.

use serde_json::{Value, json};

use crate::table::Table;

/// What is wanted of the ratio between KeyNest's figure and the limit.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// More is better: at least this part of the limit.
    AtLeast(f64),
    /// Less is better: at most this many times the limit.
    AtMost(f64),
}

/// One row of the summary.
#[derive(Clone, Debug)]
pub struct Target {
    pub what: String,
    /// Where the limit comes from.
    pub limit_of: String,
    pub limit: f64,
    pub reached: f64,
    pub unit: &'static str,
    pub wanted: Wanted,
    /// Where the profile shows the time to go that is missing (docs/PERFORMANCE.md); empty if nobody has looked.
    pub gap: &'static str,
}

impl Target {
    /// A figure that is wanted as it is, whatever the machine.
    pub fn fixed(what: &str, reached: f64, unit: &'static str, limit: f64, is_least: bool) -> Self {
        let wanted = if is_least { Wanted::AtLeast(1.0) } else { Wanted::AtMost(1.0) };
        let limit_of = "fixed".to_owned();
        Self { what: what.to_owned(), limit_of, limit, reached, unit, wanted, gap: "" }
    }

    /// The same with what the profile shows.
    #[must_use]
    pub fn because(self, gap: &'static str) -> Self {
        Self { gap, ..self }
    }

    pub fn ratio(&self) -> f64 {
        if self.limit == 0.0 { f64::NAN } else { self.reached / self.limit }
    }

    /// A ratio that cannot be told is not met.
    pub fn is_met(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(least) => self.ratio() >= least,
            Wanted::AtMost(most) => self.ratio() <= most,
        }
    }

    fn verdict(&self) -> String {
        match (self.is_met(), self.gap) {
            (true, _) => "yes".to_owned(),
            (false, "") => "no".to_owned(),
            (false, gap) => format!("no: {gap}"),
        }
    }

    fn wanted(&self) -> String {
        match self.wanted {
            Wanted::AtLeast(least) => format!("≥ {}", rounded(least)),
            Wanted::AtMost(most) => format!("≤ {}", rounded(most)),
        }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "what": self.what, "limit_of": self.limit_of, "limit": self.limit, "reached": self.reached,
            "unit": self.unit, "ratio": self.ratio(), "wanted": self.wanted(), "met": self.is_met(),
            "gap": self.gap,
        })
    }
}

/// One row each.
pub fn table(targets: &[Target]) -> Table {
    let head = ["target", "limit", "of", "KeyNest", "ratio", "wanted", "met, or the profile"];
    let mut table = Table::new("Targets", head);
    for target in targets {
        table.row([
            target.what.clone(),
            format!("{} {}", rounded(target.limit), target.unit),
            target.limit_of.clone(),
            format!("{} {}", rounded(target.reached), target.unit),
            format!("{:.2}", target.ratio()),
            target.wanted(),
            target.verdict(),
        ]);
    }
    table
}

/// About three figures.
pub fn rounded(number: f64) -> String {
    match number.abs() {
        it if it >= 100.0 => format!("{number:.0}"),
        it if it >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(limit: f64, reached: f64, wanted: Wanted) -> Target {
        let (what, limit_of) = (String::new(), String::new());
        Target { what, limit_of, limit, reached, unit: "/s", wanted, gap: "" }
    }

    #[test]
    fn a_ratio_decides_whether_a_target_is_met() {
        assert!(target(100.0, 80.0, Wanted::AtLeast(0.8)).is_met());
        assert!(!target(100.0, 79.0, Wanted::AtLeast(0.8)).is_met());
        assert!(target(1.0, 1.2, Wanted::AtMost(1.2)).is_met());
        assert!(!target(1.0, 1.3, Wanted::AtMost(1.2)).is_met());
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!target(0.0, 5.0, Wanted::AtLeast(0.8)).is_met());
        assert!(!target(0.0, 0.0, Wanted::AtMost(1.0)).is_met());
    }

    #[test]
    fn a_fixed_figure_is_its_own_limit() {
        assert!(Target::fixed("rate", 3_000.0, "/s", 3_000.0, true).is_met());
        assert!(!Target::fixed("memory", 61.0, "MB", 60.0, false).is_met());
        let row = table(&[Target::fixed("rate", 1_500.0, "/s", 3_000.0, true)]).rows.remove(0);
        assert_eq!(row, ["rate", "3000 /s", "fixed", "1500 /s", "0.50", "≥ 1.00", "no"]);
    }

    #[test]
    fn only_what_is_not_met_is_explained() {
        let told = |reached| {
            let target = Target::fixed("rate", reached, "/s", 10.0, true).because("it reads");
            table(&[target]).rows[0][6].clone()
        };
        assert_eq!([told(9.0), told(10.0)], ["no: it reads", "yes"]);
    }
}
