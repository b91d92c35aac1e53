//! Mean, 95th percentile and maximum of latencies, exact and in flat memory.

use serde::Serialize;

use super::{ms, ratio};

/// Latencies below this many microseconds (131 ms) are counted one by one; the others in buckets of
/// a 2^11th of their size, which a second pass looks into. 64-bit counts of both take 1.7 MiB.
const EXACT_BITS: u32 = 17;

/// Buckets for each doubling above [`EXACT_BITS`].
const SUB_BITS: u32 = 11;

/// Latency figures in milliseconds, as the seed document has them: zero and missing latencies do not
/// count, and all are 0 when none counts.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct LatencyStats {
    /// Sum over count.
    pub mean_ms: f64,
    /// The value at place `int(count × 0.95)` of the ascending list, counted from 0.
    pub p95_ms: f64,
    /// The largest.
    pub max_ms: f64,
}

/// Counts latencies.
pub(super) struct Latencies {
    counts: Vec<u64>,
    n: u64,
    sum_us: u128,
    max_us: u64,
}

/// Where the percentile lies when its bucket is wider than a microsecond.
pub(super) struct Search {
    first_us: u64,
    counts: Vec<u64>,
    /// How many values of the bucket come before the one that is looked for.
    n_before: u64,
    shift: u32,
}

/// The bucket of a value and the width of that bucket as a power of two.
fn bucket(us: u64) -> (usize, u32) {
    let top = 63 - us.max(1).leading_zeros();
    if top < EXACT_BITS {
        return (usize::try_from(us).unwrap_or(0), 0);
    }
    let shift = top - SUB_BITS;
    let within = (us >> shift) & ((1 << SUB_BITS) - 1);
    let at = (1_u64 << EXACT_BITS) + (u64::from(top - EXACT_BITS) << SUB_BITS) + within;
    (usize::try_from(at).unwrap_or(usize::MAX), shift)
}

/// The smallest value of a bucket, and its width as a power of two.
fn bucket_start(at: usize) -> (u64, u32) {
    let at = u64::try_from(at).unwrap_or(u64::MAX);
    let Some(above) = at.checked_sub(1 << EXACT_BITS) else { return (at, 0) };
    let top = EXACT_BITS + u32::try_from(above >> SUB_BITS).unwrap_or(0);
    let shift = top - SUB_BITS;
    let within = above & ((1 << SUB_BITS) - 1);
    (((1 << SUB_BITS) + within) << shift, shift)
}

impl Latencies {
    pub(super) fn new() -> Self {
        let n_buckets = (1 << EXACT_BITS) + ((64 - EXACT_BITS) << SUB_BITS);
        let n_buckets = usize::try_from(n_buckets).unwrap_or(0);
        Self { counts: vec![0; n_buckets], n: 0, sum_us: 0, max_us: 0 }
    }

    pub(super) fn add(&mut self, us: u64) {
        if us == 0 {
            return;
        }
        if let Some(count) = self.counts.get_mut(bucket(us).0) {
            *count += 1;
        }
        self.n += 1;
        self.sum_us += u128::from(us);
        self.max_us = self.max_us.max(us);
    }

    /// The figures, or what a second pass has to look for.
    pub(super) fn stats(&self) -> Result<LatencyStats, Search> {
        if self.n == 0 {
            return Ok(LatencyStats::default());
        }
        let rank = rank_95(self.n);
        let mut n_before = 0;
        for (at, count) in self.counts.iter().enumerate() {
            if n_before + count <= rank {
                n_before += count;
                continue;
            }
            let (first_us, shift) = bucket_start(at);
            if shift == 0 {
                return Ok(self.with_p95(first_us));
            }
            return Err(Search::new(first_us, shift, rank - n_before));
        }
        Ok(self.with_p95(self.max_us))
    }

    pub(super) fn with_p95(&self, p95_us: u64) -> LatencyStats {
        LatencyStats {
            mean_ms: ratio(self.sum_us, u128::from(self.n) * 1000),
            p95_ms: ms(p95_us),
            max_ms: ms(self.max_us),
        }
    }
}

/// Python's `int(n * 0.95)`.
fn rank_95(n: u64) -> u64 {
    let double = super::ratio(u128::from(n), 1) * 0.95;
    // Below 2^53 and not negative.
    let mut rank = n - n.div_ceil(20);
    while super::ratio(u128::from(rank + 1), 1) <= double {
        rank += 1;
    }
    while super::ratio(u128::from(rank), 1) > double {
        rank -= 1;
    }
    rank.min(n - 1)
}

impl Search {
    fn new(first_us: u64, shift: u32, n_before: u64) -> Self {
        // Wider buckets than this are searched in steps.
        let n = 1_usize << shift.min(16);
        Self { first_us, counts: vec![0; n], n_before, shift }
    }

    pub(super) fn add(&mut self, us: u64) {
        let Some(within) = us.checked_sub(self.first_us) else { return };
        if within >> self.shift == 0 {
            let at = within >> self.shift.saturating_sub(16);
            if let Some(count) = usize::try_from(at).ok().and_then(|at| self.counts.get_mut(at)) {
                *count += 1;
            }
        }
    }

    /// The value that was looked for, or the narrower place to look at in a further pass.
    pub(super) fn found(self) -> Result<u64, Self> {
        let step_shift = self.shift.saturating_sub(16);
        let mut n_before = 0;
        let mut value_us = self.first_us;
        for count in &self.counts {
            if n_before + count > self.n_before {
                return if step_shift == 0 {
                    Ok(value_us)
                } else {
                    Err(Self::new(value_us, step_shift, self.n_before - n_before))
                };
            }
            n_before += count;
            value_us += 1 << step_shift;
        }
        // The rows changed between the passes, which a snapshot rules out.
        Ok(self.first_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_passes(values: &[u64]) -> LatencyStats {
        let mut latencies = Latencies::new();
        values.iter().for_each(|us| latencies.add(*us));
        let mut search = match latencies.stats() {
            Ok(stats) => return stats,
            Err(search) => search,
        };
        loop {
            values.iter().for_each(|us| search.add(*us));
            match search.found() {
                Ok(us) => return latencies.with_p95(us),
                Err(narrower) => search = narrower,
            }
        }
    }

    fn by_sorting(values: &[u64]) -> LatencyStats {
        let mut sorted: Vec<u64> = values.iter().copied().filter(|us| *us > 0).collect();
        sorted.sort_unstable();
        let Some(max) = sorted.last() else { return LatencyStats::default() };
        let place = (sorted.len() as f64 * 0.95) as usize;
        let sum: u128 = sorted.iter().map(|us| u128::from(*us)).sum();
        LatencyStats {
            mean_ms: sum as f64 / (sorted.len() as f64 * 1000.0),
            p95_ms: sorted[place] as f64 / 1000.0,
            max_ms: *max as f64 / 1000.0,
        }
    }

    #[test]
    fn the_same_as_by_sorting() {
        assert_eq!(by_passes(&[]), LatencyStats::default());
        assert_eq!(by_passes(&[0, 0]), LatencyStats::default());
        let mut seed = 1_u64;
        for n in 1..300_usize {
            let values: Vec<u64> = (0..n)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 20) >> (seed % 40)
                })
                .collect();
            assert_eq!(by_passes(&values), by_sorting(&values), "{n}");
        }
    }

    #[test]
    fn buckets_have_the_start_that_they_say() {
        for us in [0, 1, 131_071, 131_072, 200_000, 1 << 40, u64::MAX] {
            let (at, shift) = bucket(us);
            let (start, width) = bucket_start(at);
            assert!(start <= us && shift == width && (us - start) >> shift == 0, "{us}");
        }
    }
}
