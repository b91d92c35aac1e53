//! How a ledger stands to the evidence outside: which tier, how many of its entries, and since when the
//! others are exposed. Each place is held against the ledger as it is now; one that says something else
//! does not count, and says so.

use modeltrail::Ledger;
use modeltrail::store::Store;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::leaf::Leaf;
use modeltrail_core::policy::{Policy, VerifiedCheckpoint};
use modeltrail_core::time::format_rfc3339_short;
use serde::Serialize;

use super::copies::{self, CopyPlace};
use super::history::{History, Standing};
use super::memory::{self, Given, Memory, finding_key};
use super::round::Outside;
use super::{Files, evidence, stamps};

/// Stored checkpoints that are looked through for one that the witnesses have cosigned. Behind that,
/// witnesses have been away for more than an hour of checkpoints a second.
const N_CHECKPOINTS_MAX: usize = 4096;

/// A tier counts as long as what it does not cover is not older than this many of its intervals: one
/// that has just passed, one for a round that failed, one for what tries again.
const N_INTERVALS: u64 = 3;

/// What a time stamp is worth here: that it is of the checkpoint is checked, and who made it is not.
pub(crate) const STAMP: &str = "a time stamp, signature not verified";

/// What somebody outside has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(crate) enum Tier {
    /// Nothing is outside.
    T0,
    /// A second place has checkpoints.
    T1,
    /// Witnesses have cosigned.
    T2,
    /// Witnesses that others run, or a time-stamping authority.
    T3,
}

impl Tier {
    /// As it is shown.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::T0 => "T0",
            Self::T1 => "T1",
            Self::T2 => "T2",
            Self::T3 => "T3",
        }
    }

    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::T0 => "nothing outside",
            Self::T1 => "a second place",
            Self::T2 => "witnesses",
            Self::T3 => "third parties",
        }
    }
}

/// One place, and what it covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct PlaceStanding {
    /// Its tier.
    pub(crate) tier: Tier,
    /// Which.
    pub(crate) whom: String,
    /// Entries that its checkpoint covers; 0 for nothing.
    pub(crate) size: u64,
    /// When it was given, RFC 3339, by the place's own clock where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
    /// Why it does not count; empty when it does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) problem: String,
    /// True for a time stamp: its signature is not verified here.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) is_stamp: bool,
    /// True when the problem speaks against the ledger.
    #[serde(skip)]
    pub(crate) is_finding: bool,
    /// Seconds from one checkpoint there to the next, as configured.
    #[serde(skip)]
    every_s: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Somebody who has another history of this ledger, or more of it than is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Contradiction {
    /// Who.
    pub(crate) whom: String,
    /// What they have.
    pub(crate) what: String,
    /// Where what proves it lies; absent when nothing here does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
}

/// The whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct OutsideStanding {
    /// The tier in force, if nobody contradicts the ledger.
    pub(crate) tier: Tier,
    /// What it rests on, in words.
    pub(crate) basis: &'static str,
    /// True when somebody contradicts the ledger: no tier says anything for it then.
    pub(crate) is_contradicted: bool,
    /// Who, and what is kept of it.
    pub(crate) contradicted_by: Vec<Contradiction>,
    /// Entries that it covers, the first ones.
    pub(crate) covered_size: u64,
    /// Entries that it does not cover.
    pub(crate) n_exposed: u64,
    /// Age of the oldest of these in seconds: the exposure window.
    pub(crate) exposed_s: u64,
    /// What the window is at most while `publish --every` runs as configured; absent at T0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exposed_max_s: Option<u64>,
    /// True when the window is longer than that, some failed rounds allowed for.
    pub(crate) is_late: bool,
    /// What was kept that speaks against this ledger.
    pub(crate) n_evidence: usize,
    /// Each place; `status` shows them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) places: Vec<PlaceStanding>,
}

impl OutsideStanding {
    /// The tier in a word.
    pub(crate) const fn headline(&self) -> &'static str {
        if self.is_contradicted { "contradicted" } else { self.tier.name() }
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        let line = self.line_of_tier();
        if !self.is_contradicted {
            return line;
        }
        let mut whoms: Vec<&str> = self.contradicted_by.iter().map(|by| by.whom.as_str()).collect();
        whoms.dedup();
        let evidence = self.contradicted_by.iter().find_map(|by| by.evidence.as_deref());
        let evidence = evidence.map_or_else(String::new, |path| format!("; evidence: {path}"));
        format!("CONTRADICTED by {}{evidence}; without that: {line}", whoms.join(", "))
    }

    fn line_of_tier(&self) -> String {
        let Self { tier, covered_size, n_exposed, exposed_s, .. } = self;
        let (name, words) = (tier.name(), self.basis);
        let exposed = match n_exposed {
            0 => "none exposed".to_owned(),
            n => format!("{n} exposed, for {exposed_s} s"),
        };
        let bound = match self.exposed_max_s {
            Some(bound_s) if self.is_late => format!(", which should be {bound_s} s at most"),
            Some(bound_s) => format!(" (at most {bound_s} s)"),
            None => String::new(),
        };
        format!("{name}, {words}: {covered_size} entries covered, {exposed}{bound}")
    }
}

/// What is needed to tell.
struct Looker<'a> {
    outside: &'a Outside,
    history: &'a History,
    store: &'a dyn Store,
    size: u64,
    places: Vec<PlaceStanding>,
}

/// Looks at all places.
///
/// # Errors
/// When the ledger cannot be read; what is wrong with a place stands in it.
pub(crate) fn of(
    ledger: &Ledger,
    outside: &Outside,
    now_ns: i64,
) -> Result<OutsideStanding, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let store = ledger.open_read().map_err(|error| told(&error))?;
    let size = store.tip().map_err(|error| told(&error))?.head.size;
    let history = History::new(store.another().map_err(|error| told(&error))?);
    let files = Files::of(ledger);
    let mut looker =
        Looker { outside, history: &history, store: store.as_ref(), size, places: Vec::new() };
    let memory = memory::read(&files.memory);
    for place in &outside.copies {
        looker.copy(place, memory.copies.get(&place.to_string()));
    }
    looker.witnesses();
    looker.stamps(&files);
    let places = looker.places;
    let mut standing = in_force(store.as_ref(), size, &places, now_ns)?;
    let kept = evidence::list(&files.evidence);
    standing.n_evidence = kept.len();
    standing.contradicted_by = contradictions(&kept, &memory, outside, &places);
    standing.is_contradicted = !standing.contradicted_by.is_empty();
    standing.places = places;
    Ok(standing)
}

/// Who contradicts the ledger: by what is kept, by what those places said last that are still named, and
/// by what the places show now.
fn contradictions(
    kept: &[evidence::Kept],
    memory: &Memory,
    outside: &Outside,
    places: &[PlaceStanding],
) -> Vec<Contradiction> {
    let mut all: Vec<Contradiction> = kept
        .iter()
        .map(|piece| Contradiction {
            whom: piece.whom.clone(),
            what: format!("another history of the first {} entries, signed", piece.size),
            evidence: Some(piece.path.display().to_string()),
        })
        .collect();
    let copies = outside.copies.iter().map(|place| ("copy", place.to_string()));
    let witnesses = outside.policy.iter().flat_map(|policy| policy.witnesses());
    let witnesses = witnesses.map(|witness| ("witness", witness.key.name().to_string()));
    for (kind, whom) in copies.chain(witnesses) {
        let said = memory.findings.get(&finding_key(kind, &whom)).cloned();
        let shown = places.iter().find(|place| place.is_finding && place.whom == whom);
        let what = shown.map(|place| place.problem.clone()).or(said);
        if let Some(what) = what.filter(|_| all.iter().all(|by| by.whom != whom)) {
            all.push(Contradiction { whom, what, evidence: None });
        }
    }
    for place in places.iter().filter(|place| place.is_finding) {
        if all.iter().all(|by| by.whom != place.whom) {
            let (whom, what) = (place.whom.clone(), place.problem.clone());
            all.push(Contradiction { whom, what, evidence: None });
        }
    }
    all
}

impl Looker<'_> {
    fn push_stamp(&mut self, whom: String, every_s: u64, found: Result<Found, Problem>) {
        self.push(Tier::T3, whom, every_s, found);
        if let Some(place) = self.places.last_mut() {
            place.is_stamp = true;
        }
    }

    fn push(&mut self, tier: Tier, whom: String, every_s: u64, found: Result<Found, Problem>) {
        let place = |size, time, problem, is_finding| PlaceStanding {
            tier,
            whom,
            size,
            time,
            problem,
            is_stamp: false,
            is_finding,
            every_s,
        };
        self.places.push(match found {
            Ok(Found { size, time_s }) => {
                let time =
                    time_s.map(|time_s| format_rfc3339_short(time_s.saturating_mul(1_000_000_000)));
                place(size, time, String::new(), false)
            }
            Err(Problem { what, is_finding }) => place(0, None, what, is_finding),
        });
    }

    /// The size of a checkpoint that is kept elsewhere, if the ledger still extends it.
    fn covers(&self, kept: &SignedCheckpoint) -> Result<u64, Problem> {
        let head = kept.checkpoint().head();
        if kept.checkpoint().origin() != self.store.origin() {
            return Err(Problem::plain("it is of another ledger"));
        }
        match self.history.against(kept, self.size).map_err(Problem::plain)? {
            Standing::Extends => Ok(head.size),
            Standing::IsBehind => {
                Err(Problem::finding(format!("it is of {} entries, more than are here", head.size)))
            }
            Standing::Differs(_) => Err(Problem::finding(format!(
                "it has another root at {} entries than the ledger has now",
                head.size
            ))),
        }
    }

    fn copy(&mut self, place: &CopyPlace, given: Option<&Given>) {
        let time_s = given.map(|given| given.time_s);
        let found = match place {
            CopyPlace::Folder(dir) => copies::read(dir)
                .map_err(Problem::plain)
                .and_then(|kept| kept.ok_or_else(|| Problem::plain("nothing is there yet")))
                .and_then(|kept| self.covers(&kept)),
            // What an address still has is asked in each round of `publish`.
            CopyPlace::Http(..) => {
                given.ok_or_else(|| Problem::plain("nothing was sent yet")).and_then(|given| {
                    let size = self.sent(given)?;
                    let why =
                        "what was sent cannot be read back there, so nothing is ever compared";
                    if given.is_compared { Ok(size) } else { Err(Problem::plain(why)) }
                })
            }
        };
        let found = found.map(|size| Found { size, time_s });
        self.push(Tier::T1, place.to_string(), self.outside.every_s, found);
    }

    fn sent(&self, given: &Given) -> Result<u64, Problem> {
        if given.size > self.size {
            let what = format!("{} entries were sent, more than are here", given.size);
            return Err(Problem::finding(what));
        }
        let root = self.history.root(given.size).map_err(Problem::plain)?;
        if root.to_hex() == given.root {
            Ok(given.size)
        } else {
            let what =
                format!("another root was sent at {} entries than the ledger has now", given.size);
            Err(Problem::finding(what))
        }
    }

    fn witnesses(&mut self) {
        let Some(policy) = &self.outside.policy else { return };
        if policy.witnesses().is_empty() {
            return;
        }
        let tier = if self.outside.is_public { Tier::T3 } else { Tier::T2 };
        let n = policy.witnesses().len();
        let found = self.cosigned(policy).and_then(|verified| {
            let size = self.covers(verified.signed())?;
            let latest = verified.cosigned().iter().map(|cosigned| cosigned.time_s).max();
            Ok(Found { size, time_s: latest.and_then(|time_s| i64::try_from(time_s).ok()) })
        });
        let whom = if n == 1 { "1 witness".to_owned() } else { format!("quorum of {n} witnesses") };
        self.push(tier, whom, self.outside.every_s, found);
    }

    /// The newest stored checkpoint that a quorum has cosigned.
    fn cosigned(&self, policy: &Policy) -> Result<VerifiedCheckpoint, Problem> {
        let mut at_most = None;
        let mut why = "no checkpoint is signed yet".to_owned();
        for n in 0..N_CHECKPOINTS_MAX {
            let stored = self.store.checkpoint(at_most).map_err(Problem::plain)?;
            let Some(stored) = stored else { break };
            match policy.verify(&stored) {
                Ok(verified) if !verified.cosigned().is_empty() => return Ok(verified),
                Ok(_) if n == 0 => "no witness has cosigned".clone_into(&mut why),
                // Of the newest one: what keeps it from counting is what can be mended.
                Err(error) if n == 0 => why = error.to_string(),
                _ => {}
            }
            let Some(below) = stored.checkpoint().head().size.checked_sub(1) else { break };
            at_most = Some(below);
        }
        Err(Problem::plain(why))
    }

    fn stamps(&mut self, files: &Files) {
        let newest = stamps::newest(&files.timestamps);
        let Some(url) = &self.outside.tsa else { return };
        let found = newest.map_err(Problem::plain).and_then(|kept| {
            let kept = kept.ok_or_else(|| Problem::plain("no checkpoint is stamped yet"))?;
            let size = self.covers_text(&kept)?;
            Ok(Found { size, time_s: Some(kept.time_s) })
        });
        let every_s = self.outside.tsa_every_s.saturating_add(self.outside.every_s);
        self.push_stamp(super::http::shown(url), every_s, found);
    }

    fn covers_text(&self, kept: &stamps::Kept) -> Result<u64, Problem> {
        let head = kept.checkpoint.head();
        if kept.checkpoint.origin() != self.store.origin() {
            return Err(Problem::plain("it is of another ledger"));
        }
        let (root, time_s) = (head.root.to_hex(), kept.time_s);
        let given = Given { size: head.size, root, time_s, is_compared: false };
        self.sent(&given)
    }
}

/// What a place has.
struct Found {
    size: u64,
    time_s: Option<i64>,
}

/// Why a place does not count.
struct Problem {
    what: String,
    is_finding: bool,
}

impl Problem {
    fn plain(what: impl ToString) -> Self {
        Self { what: what.to_string(), is_finding: false }
    }

    const fn finding(what: String) -> Self {
        Self { what, is_finding: true }
    }
}

/// The tier in force: the highest whose window is as short as it should be; else the highest there is.
fn in_force(
    store: &dyn Store,
    size: u64,
    places: &[PlaceStanding],
    now_ns: i64,
) -> Result<OutsideStanding, String> {
    let now_us = u64::try_from(now_ns / 1000).unwrap_or(0);
    let mut all = Vec::new();
    for best in best_of_tiers(places) {
        let since_us = time_us(store, best.size, size)?;
        let every_s = Some(best.every_s);
        let mut standing = window(best.tier, size, best.size, since_us, every_s, now_us);
        if best.is_stamp {
            standing.basis = STAMP;
        }
        all.push(standing);
    }
    if let Some(standing) = choose(all) {
        return Ok(standing);
    }
    Ok(window(Tier::T0, size, 0, time_us(store, 0, size)?, None, now_us))
}

/// Of each tier, the highest first, the place that covers most; of those that cover the same, the one
/// that will go on first.
fn best_of_tiers(places: &[PlaceStanding]) -> Vec<&PlaceStanding> {
    let best = |tier| {
        let of_tier = places.iter().filter(move |place| place.tier == tier);
        let counting = of_tier.filter(|place| place.problem.is_empty());
        counting.max_by_key(|place| (place.size, u64::MAX - place.every_s))
    };
    [Tier::T3, Tier::T2, Tier::T1].into_iter().filter_map(best).collect()
}

/// The first that is not late, else the first.
fn choose(mut all: Vec<OutsideStanding>) -> Option<OutsideStanding> {
    let at = all.iter().position(|standing| !standing.is_late).unwrap_or(0);
    if at < all.len() { Some(all.swap_remove(at)) } else { None }
}

/// When the entry at `index` was sequenced; `None` where there is none.
fn time_us(store: &dyn Store, index: u64, size: u64) -> Result<Option<u64>, String> {
    let mut time_us = None;
    if index < size {
        let mut take = |_: u64, leaf: &[u8], _: &[u8]| {
            time_us = Leaf::decode(leaf).ok().map(|leaf| leaf.time_us);
        };
        store
            .leaves(index..index.saturating_add(1), &mut take)
            .map_err(|error| error.to_string())?;
    }
    Ok(time_us)
}

/// What `covered_size` of `size` entries leaves open; `since_us` is the time of the first that is not
/// covered.
fn window(
    tier: Tier,
    size: u64,
    covered_size: u64,
    since_us: Option<u64>,
    every_s: Option<u64>,
    now_us: u64,
) -> OutsideStanding {
    let exposed_s = since_us.map_or(0, |since_us| now_us.saturating_sub(since_us) / 1_000_000);
    OutsideStanding {
        tier,
        basis: tier.words(),
        is_contradicted: false,
        contradicted_by: Vec::new(),
        covered_size,
        n_exposed: size.saturating_sub(covered_size),
        exposed_s,
        exposed_max_s: every_s,
        is_late: every_s.is_some_and(|every_s| exposed_s > every_s.saturating_mul(N_INTERVALS)),
        n_evidence: 0,
        places: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
