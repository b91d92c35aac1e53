//! A keyed sum over rows: equal for equal sets of rows in whatever order they come.

use std::hash::{BuildHasher as _, RandomState};

/// Longest row that is summed.
const N_KEYS: usize = super::N_COLUMNS + 2;

/// Keys that nobody knows beforehand, so that nobody can make rows whose sum is that of others.
pub(super) struct Keys {
    columns: [u64; N_KEYS],
    start: u64,
    /// What stands for NULL.
    null: u64,
}

impl Keys {
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        let key = |n: usize| random.hash_one(n);
        let mut columns = [0; N_KEYS];
        columns.iter_mut().enumerate().for_each(|(n, of)| *of = key(n));
        Self { columns, start: key(N_KEYS), null: key(N_KEYS + 1) }
    }

    /// A hash of a row: a chain of 64-bit multiplications folded to 64 bits, as in wyhash and
    /// foldhash. The standard library's hasher costs several times as much, and rows are many.
    fn hash(&self, row: impl Iterator<Item = Option<i64>>) -> u64 {
        row.zip(self.columns).fold(self.start, |hash, (value, key)| {
            let value = value.map_or(self.null, i64::cast_unsigned);
            fold(hash ^ value, key)
        })
    }
}

/// Both halves of the product. An odd key keeps every bit of the other factor.
fn fold(a: u64, key: u64) -> u64 {
    let product = u128::from(a) * u128::from(key | 1);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Number of rows, and the sum of their hashes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum {
    n: u64,
    hashes: u64,
}

impl Sum {
    pub(super) fn add(&mut self, keys: &Keys, row: impl Iterator<Item = Option<i64>>) {
        self.n += 1;
        self.hashes = self.hashes.wrapping_add(keys.hash(row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_rows_does_not_count_and_everything_else_does() {
        let keys = Keys::random();
        let sum = |rows: &[&[Option<i64>]]| {
            let mut sum = Sum::default();
            rows.iter().for_each(|row| sum.add(&keys, row.iter().copied()));
            sum
        };
        let (a, b): (&[_], &[_]) = (&[Some(1), None, Some(3)], &[Some(0), Some(2), Some(3)]);
        assert!(sum(&[a, b]) == sum(&[b, a]));
        for other in [
            &[Some(1), Some(0), Some(3)][..],
            &[None, Some(1), Some(3)],
            &[Some(1), None, Some(4)],
            &[Some(-1), None, Some(3)],
            &[Some(1), None],
        ] {
            assert!(sum(&[a, b]) != sum(&[other, b]), "{other:?}");
        }
        assert!(sum(&[a]) != sum(&[a, a]) && sum(&[a]) != sum(&[a, a, a]));
    }
}
