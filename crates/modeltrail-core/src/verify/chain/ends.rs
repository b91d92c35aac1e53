//! What is looked at once all entries have been: how far the ledger goes, and its head.

use super::super::{Finding, FindingKind};
use super::{Chain, Ends};

impl Chain {
    pub(super) fn check_ends(&mut self) {
        if self.is_cut() {
            return;
        }
        if self.first_moot.is_some() {
            return;
        }
        let Ends { head, last_leaf_hash, time_us, edge_root, .. } = &self.ends;
        if self.expected > head.size {
            let kind = FindingKind::InsertedEntry;
            let detail = format!("the head says that there are {} entries", head.size);
            self.findings.push(Finding::run(head.size, self.expected - 1, kind, detail));
            return;
        }
        let last_fits = self.before.computed == *last_leaf_hash && self.time_us == *time_us;
        let detail = if self.frontier.root() != head.root {
            Some("the stored root is not that of the entries")
        } else if *edge_root != head.root || !last_fits {
            Some("the right edge, last leaf hash or time stored with it is not that of the entries")
        } else {
            None
        };
        if let Some(detail) = detail {
            let index = head.size.saturating_sub(1);
            self.findings.push(Finding::at(index, FindingKind::ChangedHead, detail));
        }
    }

    /// Whether entries are missing at the end: fewer than the ledger itself says, or fewer than what
    /// was kept outside says.
    fn is_cut(&mut self) -> bool {
        let own = self.ends.head.size.max(self.stored_size);
        let is_truncated = self.expected < own;
        if is_truncated {
            let by = if self.expected < self.ends.head.size { "head" } else { "checkpoints" };
            let detail = format!("the ledger's own {by} knows {own} entries");
            let (kind, last) = (FindingKind::TruncatedTail, own - 1);
            self.findings.push(Finding::run(self.expected, last, kind, detail));
        }
        let there = self.expected.max(own);
        let outside = self.heads.largest_outside().filter(|(size, _)| *size > there);
        if let Some((size, source)) = outside {
            let detail = format!("{} knows {size} entries", source.name());
            self.findings.push(Finding::run(there, size - 1, FindingKind::Rollback, detail));
        }
        is_truncated || outside.is_some()
    }
}
