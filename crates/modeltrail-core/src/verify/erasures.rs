//! Whether parts that are not there were erased lawfully.

use std::collections::BTreeMap;

use super::{Finding, FindingKind};
use crate::code::PartId;
use crate::erasure::Erasure;
use crate::note::VerifierKey;

/// Erased parts that no erasure entry has named yet.
///
/// It holds 16 bytes and the tree around them for each erased entry until its erasure entry comes;
/// nothing smaller tells them apart, as erasures name single entries in any order.
#[derive(Default)]
pub(super) struct Erasures {
    open: BTreeMap<u64, PartMask>,
    /// Entries that an erasure which does not count has named: entry → erasure.
    forged: BTreeMap<u64, u64>,
}

/// Bit `1 << code` for each part.
type PartMask = u16;

fn bit(code: u16) -> PartMask {
    1_u16.checked_shl(code.into()).unwrap_or(0)
}

impl Erasures {
    /// Takes an entry of which parts were erased.
    pub(super) fn erased(&mut self, index: u64, parts: &[PartId]) {
        if !parts.is_empty() {
            let mask = parts.iter().fold(0, |mask, part| mask | bit(part.code()));
            self.open.insert(index, mask);
        }
    }

    /// Takes an erasure entry: what it names is explained if the authority, one of `keys`, signed it.
    pub(super) fn erasure(
        &mut self,
        index: u64,
        origin: &str,
        erasure: &Erasure,
        keys: &[&VerifierKey],
        findings: &mut Vec<Finding>,
    ) {
        let verified = erasure.verify(origin, index, keys.iter().copied());
        if let Err(error) = &verified {
            let detail = format!("the authority has not signed this erasure: {error}");
            findings.push(Finding::at(index, FindingKind::ForgedErasure, detail));
        }
        for (entry, parts) in &erasure.entries {
            let Some(mask) = self.open.get_mut(entry) else { continue };
            if verified.is_err() {
                self.forged.insert(*entry, index);
                continue;
            }
            *mask &= !parts.iter().fold(0, |mask, part| mask | bit(*part));
            if *mask == 0 {
                self.open.remove(entry);
            }
        }
    }

    /// What no lawful erasure explains.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) {
        for (index, mask) in &self.open {
            let parts = PartId::ALL.iter().filter(|part| mask & bit(part.code()) != 0);
            let names: Vec<String> = parts.map(|part| format!("`{part}`")).collect();
            let why = match self.forged.get(index) {
                Some(erasure) => format!("the erasure entry {erasure} that names it is forged"),
                None => "no erasure entry says so".to_owned(),
            };
            let detail = format!("the part {} was erased, and {why}", names.join(", "));
            findings.push(Finding::at(*index, FindingKind::MissingPart, detail));
        }
    }
}
