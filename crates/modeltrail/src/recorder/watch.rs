//! Depth, lag and how fast the spool fills, with the callbacks of those who embed a recorder.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{RecorderOptions, Stats};
use crate::spool::{self, SpoolOptions, SpoolState};

/// How often the spool's directory is looked at: a listing of a few hundred names at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Marks are set this far apart at least, which is how exact the lag is.
const MARK_EVERY: Duration = Duration::from_millis(5);

/// Most marks: 4,096 of 5 ms cover 20 s; when more are needed every second one is dropped, and the
/// lag is exact to twice the distance.
const N_MARKS_MAX: usize = 4096;

#[derive(Default)]
struct State {
    /// Numbers below the first were appended at the second.
    marks: VecDeque<(u64, Instant)>,
    looked: Option<Instant>,
    used_bytes: u64,
    seconds_until_full: Option<u64>,
    was_deep: bool,
    was_filling: bool,
}

/// Watches one recorder's spool.
pub(super) struct Watch {
    dir: PathBuf,
    options: SpoolOptions,
    state: Mutex<State>,
}

impl Watch {
    pub(super) fn new(dir: PathBuf, options: SpoolOptions) -> Self {
        Self { dir, options, state: Mutex::default() }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that all numbers below `next_seq` have been appended.
    pub(super) fn mark(&self, next_seq: u64) {
        let now = Instant::now();
        self.with(|state| {
            let recent = state.marks.back().is_some_and(|(_, at)| now - *at < MARK_EVERY);
            if recent {
                if let Some((seq, _)) = state.marks.back_mut() {
                    *seq = (*seq).max(next_seq);
                }
                return;
            }
            if state.marks.len() >= N_MARKS_MAX {
                let mut keep = false;
                state.marks.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
            state.marks.push_back((next_seq, now));
        });
    }

    /// How long the oldest number from `acked` on has waited.
    pub(super) fn lag(&self, acked: u64) -> Duration {
        self.with(|state| {
            while state.marks.front().is_some_and(|(seq, _)| *seq <= acked) {
                state.marks.pop_front();
            }
            state.marks.front().map_or(Duration::ZERO, |(_, at)| at.elapsed())
        })
    }

    /// Fills in what is known of the spool's directory.
    pub(super) fn fill(&self, stats: &mut Stats) {
        self.with(|state| {
            stats.spool_bytes = state.used_bytes;
            stats.spool_bytes_max = self.options.bytes_max;
            stats.seconds_until_full = state.seconds_until_full;
        });
    }

    /// Bytes of segments in use: free files have the usual length.
    const fn used_bytes(&self, state: &SpoolState) -> u64 {
        state.bytes.saturating_sub(state.n_free.saturating_mul(self.options.segment_bytes))
    }

    /// Looks at the directory if it is time to; true when it did.
    pub(super) fn look(&self) -> bool {
        let due = self.with(|state| state.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY));
        if !due {
            return false;
        }
        let used = spool::peek(&self.dir).map_or(0, |state| self.used_bytes(&state));
        self.with(|state| {
            let now = Instant::now();
            let before = state.looked.replace(now);
            let grown = used.saturating_sub(state.used_bytes);
            state.used_bytes = used;
            state.seconds_until_full = before.filter(|_| grown > 0).map(|before| {
                let elapsed_ms = u64::try_from((now - before).as_millis()).unwrap_or(u64::MAX);
                let left = self.options.bytes_max.saturating_sub(used);
                left.saturating_mul(elapsed_ms.max(1)) / grown / 1000
            });
        });
        true
    }

    /// Calls those back whose threshold has just been crossed.
    pub(super) fn alarm(&self, options: &RecorderOptions, stats: &Stats) {
        if let Some((depth_max, callback)) = &options.deeper_than {
            let deep = stats.depth > *depth_max;
            if self.with(|state| std::mem::replace(&mut state.was_deep, deep) != deep) && deep {
                callback(stats);
            }
        }
        if let Some((time, callback)) = &options.full_within {
            let filling = stats.seconds_until_full.is_some_and(|s| s <= time.as_secs());
            let crossed =
                self.with(|state| std::mem::replace(&mut state.was_filling, filling) != filling);
            if crossed && filling {
                callback(stats);
            }
        }
    }
}
