//! Times of single calls, and what is said about them.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Times of calls in nanoseconds.
#[derive(Default)]
pub(crate) struct Times {
    ns: Vec<u64>,
}

/// Percentiles of [`Times`] by the nearest rank, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) max_us: f64,
}

impl Times {
    /// Runs something and notes how long it took.
    pub(crate) fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = call();
        self.push(begun.elapsed());
        result
    }

    pub(crate) fn push(&mut self, time: Duration) {
        self.ns.push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds those of another thread.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.ns.append(&mut other.ns);
    }

    pub(crate) fn len(&self) -> usize {
        self.ns.len()
    }

    /// Zeros when nothing was timed.
    pub(crate) fn spread(mut self) -> Spread {
        self.ns.sort_unstable();
        let us = |share| percentile(&self.ns, share).unwrap_or(0) as f64 / 1e3;
        Spread { p50_us: us(0.50), p99_us: us(0.99), max_us: us(1.0) }
    }
}

/// The value at the nearest rank: the smallest that at least this share of the values does not
/// exceed. The values must ascend; `None` when there are none.
pub(crate) fn percentile<T: Copy>(ascending: &[T], share: f64) -> Option<T> {
    // Exact below 2⁵³ values; a share outside 0 to 1 means the first or the last value.
    let rank = (share * ascending.len() as f64).ceil() as usize;
    let last = ascending.len().checked_sub(1)?;
    ascending.get(rank.saturating_sub(1).min(last)).copied()
}

/// The middle of a few figures (the upper one of two); 0 when there are none.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 0.0), Some(1));
        assert_eq!(percentile(&hundred, 0.50), Some(50));
        assert_eq!(percentile(&hundred, 0.501), Some(51));
        assert_eq!(percentile(&hundred, 0.99), Some(99));
        assert_eq!(percentile(&hundred, 1.0), Some(100));
        assert_eq!(percentile(&hundred, 7.0), Some(100));
        assert_eq!(percentile(&[7, 9], 0.99), Some(9));
        assert_eq!(percentile(&[7], 0.5), Some(7));
        assert_eq!(percentile::<u64>(&[], 0.5), None);
    }

    #[test]
    fn a_spread_does_not_depend_on_the_order() {
        let mut times = Times::default();
        for ns in [3_000, 1_000, 2_000, 1_500] {
            times.push(Duration::from_nanos(ns));
        }
        assert_eq!(times.len(), 4);
        let expected = Spread { p50_us: 1.5, p99_us: 3.0, max_us: 3.0 };
        assert_eq!(times.spread(), expected);
        assert_eq!(Times::default().spread(), Spread { p50_us: 0.0, p99_us: 0.0, max_us: 0.0 });
    }

    #[test]
    fn medians() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0]) - 4.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
