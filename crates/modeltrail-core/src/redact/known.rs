//! What names say, remembered by thread: the names of members are the same in one record after
//! another, and reading one costs more than the value beneath it.

use std::cell::RefCell;

use super::said::Said;

/// Names that are remembered, about as many as a few schemas have. Two that fall into one slot take
/// turns. 24 KiB a thread.
const SLOTS: usize = 256;

/// Longer names are read each time.
const NAME_BYTES_MAX: usize = 32;

#[derive(Clone, Copy)]
struct Slot {
    name: [u8; NAME_BYTES_MAX],
    /// 0 where nothing is remembered.
    len: usize,
    said: Said,
}

thread_local! {
    static SLOTS_OF_THREAD: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// What a name says.
pub(super) fn said(name: &str) -> Said {
    let mut key = [0; NAME_BYTES_MAX];
    let Some(head) = key.get_mut(..name.len()) else { return Said::by(name) };
    head.copy_from_slice(name.as_bytes());
    let known = SLOTS_OF_THREAD.try_with(|slots| {
        let mut slots = slots.try_borrow_mut().ok()?;
        if slots.is_empty() {
            slots.resize(SLOTS, None);
        }
        let slot = slots.get_mut(slot_of(&key))?;
        match slot {
            Some(known) if known.len == name.len() && known.name == key => Some(known.said),
            _ => {
                let said = Said::by(name);
                if is_of_schema(name) {
                    *slot = Some(Slot { name: key, len: name.len(), said });
                }
                Some(said)
            }
        }
    });
    // While the thread ends nothing is remembered any more.
    known.ok().flatten().unwrap_or_else(|| Said::by(name))
}

/// Where a name is remembered.
fn slot_of(key: &[u8; NAME_BYTES_MAX]) -> usize {
    let mut hash = 0_u64;
    for word in key.as_chunks::<8>().0 {
        hash =
            (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    usize::try_from(hash >> 56).unwrap_or_default() % SLOTS
}

/// Whether a name is of letters only, as a schema has them. What could be somebody's number or
/// address is not kept in memory.
fn is_of_schema(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'))
}
