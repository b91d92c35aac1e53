//! Taking many leaves at once.

use super::super::entry::Checked;
use super::super::run::LeafRun;
use super::{Before, Chain};

impl Chain {
    /// Takes a run of leaves that follow one another without a fault. False when it cannot be taken at
    /// once, as what lies before or the run's own place has a fault: then its entries have to be
    /// pushed one by one.
    #[must_use]
    pub fn push_run(&mut self, run: &LeafRun) -> bool {
        let Some(first) = &run.first else { return true };
        if let Some(waiting) = self.waiting.take() {
            self.settle(waiting, Some(first));
        }
        if !self.is_followed_by(run, first) {
            return false;
        }
        let before = self.frontier.clone();
        if !self.frontier.append(&run.frontier) {
            return false;
        }
        for (size, within) in &run.at {
            let mut tree = before.clone();
            if self.heads.wants(*size) && tree.append(within) {
                self.heads.reach(*size, &tree.root());
            }
        }
        self.expected = self.frontier.size();
        self.time_us = run.last_time_us;
        self.before = Before { computed: run.last, stored: Some(run.last), is_neighbour: true };
        true
    }

    /// Whether nothing was found so far that the run's entries could be part of.
    fn is_followed_by(&self, run: &LeafRun, first: &Checked) -> bool {
        let Some(leaf) = first.leaf else { return false };
        let end = run.start.saturating_add(run.n_leaves());
        let is_kept = |size: u64| run.at.binary_search_by_key(&size, |(at, _)| *at).is_ok();
        self.shift == 0
            && self.expected == run.start
            && self.frontier.size() == run.start
            && self.first_moot.is_none()
            && self.before.is_neighbour
            && self.before.computed == leaf.prev
            && self.before.stored == Some(leaf.prev)
            && leaf.time_us >= self.time_us
            && self.heads.wanted(run.start, end).all(is_kept)
    }
}
