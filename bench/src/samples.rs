//! Measured times, and what is said of many of them.

use std::time::Duration;

/// Times of one kind, in the order in which they were measured.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The time below which this part of all samples is, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len().saturating_sub(1)) * percent / 100;
        sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }

    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// How likely a sample of these is above one of the others: 0.5 if nothing can be told from the time (THREATS A7).
    pub fn likely_above(&self, others: &Self) -> f64 {
        let halves = |mine: &Duration, other: &Duration| match mine.cmp(other) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 1.0,
        };
        let all = self.0.iter().flat_map(|mine| others.0.iter().map(move |it| halves(mine, it)));
        let pairs = self.0.len() * others.0.len();
        if pairs == 0 { 0.5 } else { all.sum::<f64>() / pairs as f64 }
    }

    /// In microseconds.
    pub fn micros(&self) -> Vec<u128> {
        self.0.iter().map(Duration::as_micros).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(millis: &[u64]) -> Samples {
        Samples(millis.iter().map(|it| Duration::from_millis(*it)).collect())
    }

    #[test]
    fn medians_and_ranks_are_those_of_the_samples() {
        let (low, high) = (samples(&[3, 1, 2]), samples(&[5, 4, 6]));
        assert_eq!((low.median(), high.percentile(100)), (2.0, 6.0));
        assert_eq!(low.likely_above(&high), 0.0);
        assert_eq!(high.likely_above(&low), 1.0);
        assert_eq!(low.likely_above(&low), 0.5);
        assert_eq!(Samples::default().median(), 0.0);
    }
}
