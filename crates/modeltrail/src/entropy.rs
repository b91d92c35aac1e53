//! Random identifiers and secrets from the system's generator.

use crate::clock;

use std::cell::RefCell;

/// Random bytes fetched at once: 85 records' worth, so that the system is asked once in a while and
/// not three times for each record.
const POOL_BYTES: usize = 85 * 48;

/// A pool of random bytes that each thread keeps for itself. It is never copied into a forked child:
/// a child's recorder has its own.
pub(crate) struct Entropy {
    pool: Vec<u8>,
}

impl Entropy {
    pub(crate) const fn new() -> Self {
        Self { pool: Vec::new() }
    }

    /// `N` random bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], getrandom::Error> {
        if self.pool.len() < N {
            self.pool.resize(POOL_BYTES.max(N), 0);
            getrandom::fill(&mut self.pool)?;
        }
        let mut out = [0; N];
        let rest = self.pool.len() - N;
        for (to, from) in out.iter_mut().zip(self.pool.drain(rest..)) {
            *to = from;
        }
        Ok(out)
    }

    /// A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, the rest random.
    pub(crate) fn uuid_v7(&mut self) -> Result<[u8; 16], getrandom::Error> {
        let mut id: [u8; 16] = self.take()?;
        stamp_v7(&mut id);
        Ok(id)
    }
}

/// A UUIDv7 without a pool, for the thread that answers a request.
pub(crate) fn uuid_v7() -> Result<[u8; 16], getrandom::Error> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    stamp_v7(&mut id);
    Ok(id)
}

fn stamp_v7(id: &mut [u8; 16]) {
    let ms = u64::try_from(clock::now_ns() / 1_000_000).unwrap_or(0).to_be_bytes();
    id.iter_mut().zip(ms.iter().skip(2)).for_each(|(to, from)| *to = *from);
    let [_, _, _, _, _, _, version, _, variant, ..] = id;
    *version = (*version & 0x0f) | 0x70;
    *variant = (*variant & 0x3f) | 0x80;
}

thread_local! {
    /// Random bytes of this thread, and the producer that they are for.
    static OF_THREAD: RefCell<([u8; 16], Entropy)> = const { RefCell::new(([0; 16], Entropy::new())) };
}

/// A UUIDv7 from a pool of the thread's. A forked child has copies of its parent's pools, and a producer of its own: by
/// that it is seen that they are not for it.
pub(crate) fn uuid_v7_of_thread(producer: &[u8; 16]) -> Result<[u8; 16], getrandom::Error> {
    let pooled = OF_THREAD.try_with(|pool| {
        let (owner, entropy) = &mut *pool.borrow_mut();
        if owner != producer {
            (*owner, *entropy) = (*producer, Entropy::new());
        }
        entropy.uuid_v7()
    });
    // At the end of a thread there is no pool any more.
    pooled.unwrap_or_else(|_| uuid_v7())
}

/// The usual text of a UUID.
pub(crate) fn uuid_text(id: &[u8; 16]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    let mut text = String::with_capacity(36);
    for (n, byte) in id.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_producer_gets_other_bytes() {
        let first = uuid_v7_of_thread(&[1; 16]).unwrap();
        let left = OF_THREAD.with(|pool| pool.borrow().1.pool.clone());
        let second = uuid_v7_of_thread(&[2; 16]).unwrap();
        let now = OF_THREAD.with(|pool| pool.borrow().1.pool.clone());
        assert_ne!(first, second);
        assert!(!left.is_empty() && left.len() == now.len() && left != now);
    }

    #[test]
    fn a_uuid_is_written_in_five_groups() {
        let id: [u8; 16] = std::array::from_fn(|n| u8::try_from(n * 17).unwrap());
        assert_eq!(uuid_text(&id), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn ids_have_the_version_and_differ() {
        let mut entropy = Entropy::new();
        let ids: std::collections::BTreeSet<_> =
            (0..1000).map(|_| entropy.uuid_v7().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let text = uuid_text(&id);
            assert_eq!((text.len(), &text[14..15]), (36, "7"), "{text}");
            assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        }
    }
}
