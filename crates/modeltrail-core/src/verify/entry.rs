//! One entry alone: its leaf, its parts, its lookup row.

use crate::code::{Encoding, Kind, PartId};
use crate::commitment::{self, PartRef};
use crate::control::Control;
use crate::hash::Hash;
use crate::leaf::{Leaf, leaf_hash};
use crate::lookup::Lookup;

use super::{Finding, FindingKind};

/// A part as it was read.
#[derive(Clone, Copy, Debug)]
pub struct StoredPart<'a> {
    /// Which part.
    pub id: PartId,
    /// Code of its encoding, as stored.
    pub encoding: u8,
    /// Its bytes as hashed (decompressed).
    pub bytes: &'a [u8],
}

/// A lookup row as a store holds it: some columns as keys or terms that only the store can read.
pub trait LookupRow {
    /// Names of the columns that do not hold what `derived` says.
    fn differing(&self, derived: &Lookup<'_>) -> Vec<&'static str>;
}

impl LookupRow for Lookup<'_> {
    fn differing(&self, derived: &Lookup<'_>) -> Vec<&'static str> {
        differing(derived, self)
    }
}

/// Everything that is stored under one key.
#[derive(Clone)]
pub struct StoredEntry<'a> {
    /// The key of the rows: the place at which the entry stands.
    pub key: u64,
    /// The leaf's bytes.
    pub leaf: &'a [u8],
    /// The leaf hash as stored beside it.
    pub leaf_hash: &'a [u8],
    /// What the salts come from; `None` when the row of parts is not there.
    pub secret: Option<&'a [u8]>,
    /// The parts that are there, ascending by id.
    pub parts: &'a [StoredPart<'a>],
    /// See [`commitment::checks`].
    pub checks: &'a [u8],
    /// Commitments of parts that were erased ([`commitment::pairs`]); empty when none was.
    pub erased: &'a [u8],
    /// Salts of the parts that were left when the secret was destroyed ([`commitment::pairs`]).
    pub salts: &'a [u8],
    /// Parts whose bytes could not be read (compressed bytes that are damaged).
    pub unreadable: &'a [PartId],
    /// The lookup row, if it is there.
    pub lookup: Option<&'a dyn LookupRow>,
}

/// What is known of an entry after [`check_entry`].
#[derive(Clone, Debug)]
pub struct Checked {
    /// The key of its rows.
    pub key: u64,
    /// The leaf, if its bytes are one.
    pub leaf: Option<Leaf>,
    /// Leaf hash of the bytes that are stored.
    pub computed: Hash,
    /// Leaf hash that is stored beside them.
    pub stored: Option<Hash>,
    /// What a control entry says, when its parts are as committed.
    pub control: Option<Control>,
    /// Parts that were erased and whose commitments fit the leaf; whether that was lawful is for
    /// [`super::Chain`] to say.
    pub erased: Vec<PartId>,
    /// True when its parts were not looked at, gap entries among them: producer numbers then say
    /// nothing.
    pub is_leaf_alone: bool,
    /// What is wrong with this entry alone.
    pub findings: Vec<Finding>,
}

/// Checks one entry: parts against the leaf's body, lookup row against the parts. Whether the leaf
/// itself is the one that was sequenced is for [`super::Chain`] to say.
#[must_use]
pub fn check_entry(entry: &StoredEntry<'_>) -> Checked {
    let leaf = Leaf::decode(entry.leaf).ok();
    let computed = leaf_hash(entry.leaf);
    let stored = Hash::from_slice(entry.leaf_hash);
    let mut findings = Vec::new();
    let leaf_is_whole = leaf.is_some() && stored == Some(computed);
    let (mut control, mut erased) = (None, Vec::new());
    if let Some(leaf) = leaf
        && let Some(whole) = check_parts(entry, &leaf, leaf_is_whole, &mut findings)
    {
        check_lookup(entry, whole.parts, &leaf, leaf_is_whole, &mut findings);
        control = read_control(entry, &leaf);
        if leaf_is_whole && control.is_none() && leaf.kind == Kind::Erasure.code() {
            let detail = "what this erasure entry says cannot be read";
            findings.push(Finding::at(entry.key, FindingKind::ForgedErasure, detail));
        }
        erased = whole.erased;
    }
    let is_leaf_alone = false;
    Checked { key: entry.key, leaf, computed, stored, control, erased, is_leaf_alone, findings }
}

/// Checks one leaf alone, its parts unread.
#[must_use]
pub fn check_leaf(key: u64, leaf: &[u8], stored: &[u8]) -> Checked {
    Checked {
        key,
        leaf: Leaf::decode(leaf).ok(),
        computed: leaf_hash(leaf),
        stored: Hash::from_slice(stored),
        control: None,
        erased: Vec::new(),
        is_leaf_alone: true,
        findings: Vec::new(),
    }
}

fn read_control(entry: &StoredEntry<'_>, leaf: &Leaf) -> Option<Control> {
    let kind = Kind::from_code(leaf.kind).filter(|kind| kind.is_control())?;
    let part = entry.parts.iter().find(|part| part.id == PartId::Control)?;
    Control::read(kind, part.bytes)
}

fn part_refs<'a>(entry: &StoredEntry<'a>) -> Option<Vec<PartRef<'a>>> {
    let part_ref = |part: &StoredPart<'a>| {
        let encoding = Encoding::from_code(part.encoding)?;
        Some(PartRef { id: part.id, encoding, bytes: part.bytes })
    };
    entry.parts.iter().map(part_ref).collect()
}

/// Parts that are those that the leaf commits to.
struct Whole<'a> {
    parts: Vec<PartRef<'a>>,
    erased: Vec<PartId>,
}

/// The parts, when they are those that the leaf commits to.
fn check_parts<'a>(
    entry: &StoredEntry<'a>,
    leaf: &Leaf,
    leaf_is_whole: bool,
    findings: &mut Vec<Finding>,
) -> Option<Whole<'a>> {
    let Some(secret) = entry.secret else {
        let detail = "the row with its parts is not there, and no erasure entry says so";
        findings.push(Finding::at(entry.key, FindingKind::MissingPart, detail));
        return None;
    };
    let Some((parts, commitments, erased)) = commitments(entry, secret) else {
        let detail = "the secret of its salts, an encoding, or what erasing left is not of the \
                      length or code written";
        findings.push(Finding::at(entry.key, FindingKind::ChangedPart, detail));
        return None;
    };
    if entry.unreadable.is_empty() && commitment::body(&commitments) == leaf.body {
        return Some(Whole { parts, erased });
    }
    // A changed leaf carries another body; that is one edit and gets one finding, from the chain.
    if !leaf_is_whole && commitment::checks(&commitments) == entry.checks {
        return None;
    }
    name_parts(entry, &commitments, findings);
    None
}

/// The parts that are there, the commitments of all, and which of them were erased.
type Committed<'a> = (Vec<PartRef<'a>>, Vec<(PartId, Hash)>, Vec<PartId>);

fn commitments<'a>(entry: &StoredEntry<'a>, secret: &[u8]) -> Option<Committed<'a>> {
    let parts = part_refs(entry)?;
    if entry.erased.is_empty() && entry.salts.is_empty() {
        let all = commitment::commit(secret.try_into().ok()?, parts.iter().copied());
        return Some((parts, all, Vec::new()));
    }
    // The secret would give the salts of the erased parts, which hide what they were.
    if !secret.is_empty() {
        return None;
    }
    let (salts, erased) =
        (commitment::read_pairs(entry.salts)?, commitment::read_pairs(entry.erased)?);
    let all = commitment::commit_rest(&salts, &erased, parts.iter().copied())?;
    Some((parts, all, erased.into_iter().map(|(id, _)| id).collect()))
}

/// Says which part was changed, with the help of the checks that are stored beside the parts.
fn name_parts(
    entry: &StoredEntry<'_>,
    commitments: &[(PartId, Hash)],
    findings: &mut Vec<Finding>,
) {
    let mut push = |kind, detail: String| findings.push(Finding::at(entry.key, kind, detail));
    let before = findings_named(entry, commitments);
    for (id, what) in &before {
        match what {
            Fault::Changed => push(
                FindingKind::ChangedPart,
                format!("the part `{id}` is not the one that the leaf commits to"),
            ),
            Fault::Missing => push(
                FindingKind::MissingPart,
                format!("the part `{id}` is not there, and no erasure entry says so"),
            ),
        }
    }
    if before.is_empty() {
        push(
            FindingKind::ChangedPart,
            "the parts are not those that the leaf commits to; which one cannot be said".to_owned(),
        );
    }
}

enum Fault {
    Changed,
    Missing,
}

fn findings_named(entry: &StoredEntry<'_>, commitments: &[(PartId, Hash)]) -> Vec<(PartId, Fault)> {
    let checks: Vec<_> = commitment::read_checks(entry.checks).collect();
    let mut faults: Vec<(PartId, Fault)> =
        entry.unreadable.iter().map(|id| (*id, Fault::Changed)).collect();
    for (id, check) in &checks {
        if entry.unreadable.contains(id) {
            continue;
        }
        match commitments.iter().find(|(part, _)| part == id) {
            None => faults.push((*id, Fault::Missing)),
            Some((_, hash)) if !hash.0.starts_with(check) => faults.push((*id, Fault::Changed)),
            Some(_) => {}
        }
    }
    let known = |id: &PartId| checks.iter().any(|(part, _)| part == id);
    faults.extend(
        commitments.iter().filter(|(id, _)| !known(id)).map(|(id, _)| (*id, Fault::Changed)),
    );
    // All of them at once means that the secret was changed, which changes every salt.
    let all_changed = faults.len() > 1
        && faults.len() == commitments.len()
        && faults.iter().all(|(_, fault)| matches!(fault, Fault::Changed));
    if all_changed { Vec::new() } else { faults }
}

fn check_lookup(
    entry: &StoredEntry<'_>,
    parts: Vec<PartRef<'_>>,
    leaf: &Leaf,
    leaf_is_whole: bool,
    findings: &mut Vec<Finding>,
) {
    let mut push = |kind, detail: String| findings.push(Finding::at(entry.key, kind, detail));
    let Some(stored) = entry.lookup else {
        push(FindingKind::HiddenLookup, "its lookup row is not there".to_owned());
        return;
    };
    let kind = Kind::from_code(leaf.kind);
    let derived = kind.map(|kind| Lookup::derive(kind, parts));
    // Parts as committed that give no columns are how the entry was written, not an edit.
    let Some(Ok(derived)) = derived else { return };
    let mut changed = stored.differing(&derived);
    if !leaf_is_whole {
        // The kind derives from the leaf, and that the leaf was changed is a finding already.
        changed.retain(|column| *column != "kind");
    }
    if !changed.is_empty() {
        changed.sort_unstable();
        let detail = format!("{} is not what its part says", changed.join(", "));
        push(FindingKind::ChangedLookup, detail);
    }
}

fn differing(derived: &Lookup<'_>, stored: &Lookup<'_>) -> Vec<&'static str> {
    let columns = [
        ("timestamp", derived.time_ns == stored.time_ns),
        ("kind", derived.kind == stored.kind),
        ("model_name", derived.model_name == stored.model_name),
        ("model_version", derived.model_version == stored.model_version),
        ("latency_us", derived.latency_us == stored.latency_us),
        ("status", derived.status == stored.status),
        ("request_id", derived.request_id == stored.request_id),
        ("user_id", derived.user_id == stored.user_id),
        ("subject_id", derived.subject_id == stored.subject_id),
        ("session_id", derived.session_id == stored.session_id),
        ("input_mac", derived.input_mac == stored.input_mac),
        ("input_hash", derived.input_hash == stored.input_hash),
        ("label", derived.label == stored.label),
    ];
    columns.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect()
}
