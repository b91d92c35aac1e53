//! What the ledger's own `lifecycle` entries say of redaction.

use std::ops::ControlFlow;

use modeltrail_core::code::{Kind, PartId};
use modeltrail_core::control::Control;
use modeltrail_core::lifecycle::{EpochState, Lifecycle, PolicyInForce};
use modeltrail_core::query::Query;

use crate::store::{Store, StoreError};

/// Most entries that a recorder looks through when it opens: one page. What it does not find there it says again,
/// so that a ledger with a canary scan for each of a million short runs opens as fast as a new one.
const N_LOOKED_AT_MAX: usize = 1024;

/// Places that are asked for at a time.
const N_PAGE: usize = 1024;

/// An entry that says which policy came into force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InForce {
    /// Index of the entry. Records of the same producer behind it were redacted under this policy, until
    /// its next such entry.
    pub index: u64,
    /// The producer that wrote it.
    pub producer: [u8; 16],
    /// When, nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// What it says.
    pub policy: PolicyInForce,
}

/// What a recorder has to know before it says what is in force.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Known {
    /// The policy that the newest entry names.
    pub(crate) newest: Option<String>,
    /// Whether an entry has the text of the policy asked for, and it is the right one.
    pub(crate) has_text: bool,
    /// Whether an entry says that the epoch asked for began.
    pub(crate) has_epoch: bool,
}

/// Hands over what the ledger itself wrote under the kind `lifecycle`, newest first, of at most so many
/// entries of that kind.
fn newest_first(
    store: &dyn Store,
    n_max: usize,
    mut look: impl FnMut(u64, i64, [u8; 16], Lifecycle) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut query = Query { kind: Some(Kind::Lifecycle), ..Query::default() };
    let mut n_left = n_max;
    loop {
        let n_page = n_left.min(N_PAGE);
        let page = store.scan(&query, false, n_page)?;
        for place in &page {
            let Some(entry) = store.get(place.index)? else { continue };
            // Records of this kind that callers submit have no such part.
            let part = entry.parts.iter().find(|part| part.id == PartId::Control);
            let control = part.and_then(|part| Control::read(Kind::Lifecycle, &part.bytes));
            let Some(Control::Lifecycle(lifecycle)) = control else { continue };
            if look(place.index, place.time_ns, entry.leaf.producer, lifecycle).is_break() {
                return Ok(());
            }
        }
        n_left -= page.len();
        query.after = page.last().copied();
        if page.len() < n_page || n_left == 0 {
            return Ok(());
        }
    }
}

/// What the newest entries say of a policy and, if one is asked for, of an epoch.
pub(crate) fn known(
    store: &dyn Store,
    policy: &str,
    epoch: Option<u32>,
) -> Result<Known, StoreError> {
    let mut known = Known::default();
    newest_first(store, N_LOOKED_AT_MAX, |_, _, _, lifecycle| {
        match lifecycle {
            Lifecycle::RedactionPolicy(said) => {
                known.has_text |= said.policy == policy && said.is_proven();
                known.newest.get_or_insert(said.policy);
            }
            Lifecycle::PseudonymEpoch(said) => {
                known.has_epoch |= Some(said.number) == epoch && said.state == EpochState::Begun;
            }
            Lifecycle::RedactionCanary(_) => {}
        }
        match known.has_text && (epoch.is_none() || known.has_epoch) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(known)
}

/// The highest epoch that any entry names.
pub(crate) fn newest_epoch(store: &dyn Store) -> Result<Option<u32>, StoreError> {
    let mut highest = None;
    newest_first(store, usize::MAX, |_, _, _, lifecycle| {
        if let Lifecycle::PseudonymEpoch(said) = lifecycle {
            highest = highest.max(Some(said.number));
        }
        ControlFlow::Continue(())
    })?;
    Ok(highest)
}

/// What the newest entry about an epoch says, with its index.
pub(crate) fn epoch_state(
    store: &dyn Store,
    number: u32,
) -> Result<Option<(u64, EpochState)>, StoreError> {
    let mut found = None;
    newest_first(store, usize::MAX, |index, _, _, lifecycle| match lifecycle {
        Lifecycle::PseudonymEpoch(said) if said.number == number => {
            found = Some((index, said.state));
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })?;
    Ok(found)
}

/// The newest entry that says which policy came into force.
///
/// # Errors
/// When the store cannot be read.
pub fn newest_policy(store: &dyn Store) -> Result<Option<InForce>, StoreError> {
    let mut newest = None;
    newest_first(store, usize::MAX, |index, time_ns, producer, lifecycle| match lifecycle {
        Lifecycle::RedactionPolicy(policy) => {
            newest = Some(InForce { index, producer, time_ns, policy });
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })?;
    Ok(newest)
}

/// All entries that say that a policy came into force whose digest, as headers name it, begins like this; oldest
/// first. Each has the text, also where the ledger says it in an earlier entry alone.
///
/// # Errors
/// When the store cannot be read.
pub fn policies(store: &dyn Store, digest_prefix: &str) -> Result<Vec<InForce>, StoreError> {
    let mut found: Vec<InForce> = Vec::new();
    newest_first(store, usize::MAX, |index, time_ns, producer, lifecycle| {
        if let Lifecycle::RedactionPolicy(policy) = lifecycle
            && policy.policy.starts_with(digest_prefix)
        {
            found.push(InForce { index, producer, time_ns, policy });
        }
        ControlFlow::Continue(())
    })?;
    found.sort_by_key(|in_force| in_force.index);
    for n in 0..found.len() {
        let Some(InForce { policy, .. }) = found.get(n) else { break };
        if policy.is_proven() {
            continue;
        }
        let (digest, is_missing) = (policy.policy.clone(), policy.text.is_none());
        let proven = |other: &&InForce| other.policy.policy == digest && other.policy.is_proven();
        let text = found.iter().find(proven).and_then(|other| other.policy.text.clone());
        if let Some(in_force) = found.get_mut(n).filter(|_| is_missing) {
            in_force.policy.text = text;
        }
    }
    Ok(found)
}
