//! Measured times, and what is said of many of them.

use std::time::Duration;

/// Points of a curve of percentiles.
const CURVE: [usize; 13] = [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99];

/// Times of one kind, in the order in which they were measured.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time below which this part of all samples is, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        at(&self.sorted(), percent)
    }

    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// Percentiles for a plot: percent and milliseconds.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let sorted = self.sorted();
        CURVE.iter().map(|percent| (*percent as f64, at(&sorted, *percent))).collect()
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

    fn sorted(&self) -> Vec<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<I: IntoIterator<Item = Duration>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

fn at(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len().saturating_sub(1)) * percent / 100;
    sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(millis: &[u64]) -> Samples {
        millis.iter().map(|it| Duration::from_millis(*it)).collect()
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

    #[test]
    fn a_hundred_samples_have_their_own_percentiles() {
        let hundred = samples(&(1..=101).rev().collect::<Vec<_>>());
        assert_eq!((hundred.percentile(0), hundred.percentile(99)), (1.0, 100.0));
        let curve = hundred.curve();
        assert_eq!(curve.first(), Some(&(1.0, 2.0)));
        assert!(curve.windows(2).all(|pair| pair[0].1 < pair[1].1));
    }
}
