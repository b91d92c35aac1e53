//! Whether the erasures of a bundle hold: `spec/bundle.md`, section 6, and `spec/control.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::Serialize;

use super::parts::Place;
use super::{Check, Pinned};
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::erasure::{Erasure, ErasureError};
use crate::keys::{KeyChange, KeyRole};
use crate::note::{VerifierKey, VerifyError};
use crate::verify::Keys;

/// Most `key` entries without effect that are told of; more tell nobody more.
const N_WITHOUT_EFFECT_MAX: usize = 1000;

/// A `key` entry that changed nothing. No finding: whoever may record can leave one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyWithoutEffect {
    /// Index of the entry.
    pub index: u64,
    /// Why, for people.
    pub why: String,
}

/// What erasures say.
#[derive(Default)]
pub(super) struct Lawful {
    /// Entries and parts that an erasure names which holds.
    erased: BTreeSet<(u64, u16)>,
    /// Entries that one names which does not hold: entry → erasure.
    forged: BTreeMap<u64, u64>,
}

impl Lawful {
    pub(super) fn names(&self, index: u64, part: u16) -> bool {
        self.erased.contains(&(index, part))
    }

    /// The erasure that does not hold and names an entry.
    pub(super) fn forged(&self, index: u64) -> Option<u64> {
        self.forged.get(&index).copied()
    }
}

impl<R: Read + Seek> Check<R> {
    /// Judges erasures by the authority's keys that the bundle's `key` entries put in force. Both can
    /// stand in any order: entries outside the range come behind those in it.
    pub(super) fn judge_erasures(
        &mut self,
        mut erasures: Vec<(Place, Option<Erasure>)>,
        changes: Vec<(u64, Option<KeyChange>)>,
        pinned: &Pinned<'_>,
    ) -> Lawful {
        let keys = self.read_keys(changes, pinned);
        erasures.sort_by_key(|(place, _)| place.index);
        let mut lawful = Lawful::default();
        let mut authorities = BTreeSet::new();
        for (place, erasure) in erasures {
            let allowed = match &erasure {
                None => Err("what it says cannot be read".to_owned()),
                Some(erasure) => allowed_by(&keys, &self.manifest.origin, place.index, erasure),
            };
            let named = erasure.into_iter().flat_map(|erasure| erasure.entries);
            match allowed {
                Ok(by) => {
                    self.report.n_erasures += 1;
                    authorities.extend(by);
                    let parts =
                        named.flat_map(|(at, parts)| parts.into_iter().map(move |it| (at, it)));
                    lawful.erased.extend(parts);
                }
                Err(why) => {
                    let detail = format!("no authority key in force allows this erasure: {why}");
                    self.findings.push(place.finding(Kind::ForgedErasure, detail));
                    lawful.forged.extend(named.map(|(at, _)| (at, place.index)));
                }
            }
        }
        self.report.authorities = authorities.into_iter().collect();
        lawful
    }

    /// The keys that the bundle's entries name; those without effect go into the report.
    fn read_keys(
        &mut self,
        mut changes: Vec<(u64, Option<KeyChange>)>,
        pinned: &Pinned<'_>,
    ) -> Keys {
        changes.sort_by_key(|(index, _)| *index);
        let is_unread = |(index, change): &(u64, Option<KeyChange>)| {
            change.is_none().then(|| (*index, "what it says cannot be read".to_owned()))
        };
        let mut without: Vec<(u64, String)> = changes.iter().filter_map(is_unread).collect();
        let read: Vec<(u64, KeyChange)> =
            changes.into_iter().filter_map(|(index, change)| Some((index, change?))).collect();
        let origin = &self.manifest.origin;
        let keys = Keys::new(origin, pinned.authorities(origin), &read);
        without.extend(keys.without_effect().iter().map(|(index, why)| (*index, why.to_string())));
        without.sort();
        without.truncate(N_WITHOUT_EFFECT_MAX);
        let told = without.into_iter().map(|(index, why)| KeyWithoutEffect { index, why });
        self.report.keys_without_effect = told.collect();
        keys
    }
}

/// The authority's keys, as vkeys, that signed an erasure; else why it does not hold.
fn allowed_by(
    keys: &Keys,
    origin: &str,
    index: u64,
    erasure: &Erasure,
) -> Result<Vec<String>, String> {
    let in_force = keys.in_force(KeyRole::Authority, index);
    match erasure.verify(origin, index, in_force.clone()) {
        Ok(by) => Ok(by.into_iter().map(VerifierKey::to_string).collect()),
        Err(ErasureError::Signature(VerifyError::NoKnownKey))
            if in_force.clone().next().is_none() =>
        {
            let is_named = keys.history().in_force(KeyRole::Authority, index).next().is_some();
            Err(match is_named {
                true => {
                    "none that is in force there follows from the authority's key that was given"
                }
                false => "the bundle's `key` entries put none in force before it",
            }
            .to_owned())
        }
        Err(why) => Err(why.to_string()),
    }
}
