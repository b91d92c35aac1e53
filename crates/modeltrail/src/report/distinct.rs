//! Distinct numbers, exactly: a bit for each term.

/// A set of terms. Terms are numbered from 1 on as they first appear, so ten million users take
/// 1.2 MiB.
#[derive(Default)]
pub(super) struct Distinct {
    words: Vec<u64>,
    n: u64,
}

impl Distinct {
    pub(super) fn add(&mut self, term: u32) {
        let (word, bit) = (usize::try_from(term / 64).unwrap_or(0), 1_u64 << (term % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word)
            && *word & bit == 0
        {
            *word |= bit;
            self.n += 1;
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_once() {
        let mut distinct = Distinct::default();
        [3, 3, 64, 0, 100_000, 64].into_iter().for_each(|term| distinct.add(term));
        assert_eq!(distinct.count(), 4);
    }
}
