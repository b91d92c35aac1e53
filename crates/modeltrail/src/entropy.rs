//! Random identifiers and secrets from the system's generator.

use crate::clock;

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

/// The usual text of a UUID.
pub(crate) fn uuid_text(id: &[u8; 16]) -> String {
    let hex = modeltrail_core::hash::hex(id);
    let piece = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    format!(
        "{}-{}-{}-{}-{}",
        piece(0, 8),
        piece(8, 12),
        piece(12, 16),
        piece(16, 20),
        piece(20, 32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
