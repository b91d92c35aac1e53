//! A tree kept as its right edge: all that appending needs.

use super::{empty_root, node_hash};
use crate::hash::Hash;

/// The roots of the complete subtrees that make up a tree, largest first: one for each bit that is
/// set in `size`. It is all that is needed to append leaves and to give the root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, nodes: Vec::new() }
    }

    /// A frontier from its stored form; `None` when the number of nodes does not fit the size.
    #[must_use]
    pub fn from_parts(size: u64, bytes: &[u8]) -> Option<Self> {
        let nodes: Option<Vec<Hash>> = bytes.chunks(32).map(Hash::from_slice).collect();
        let nodes = nodes?;
        (nodes.len() == usize::try_from(size.count_ones()).ok()?).then_some(Self { size, nodes })
    }

    /// The nodes, 32 bytes each, largest subtree first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.nodes.iter().flat_map(|node| node.0).collect()
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut node = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// Appends the leaves of another tree at once. Returns false, and does nothing, when they do not
    /// begin where a complete subtree of their number could: the tree would then not be made of the
    /// nodes of both.
    pub fn append(&mut self, right: &Self) -> bool {
        let is_aligned = right.size.checked_next_power_of_two().is_some_and(|width| {
            self.size.is_multiple_of(width) && self.size.checked_add(right.size).is_some()
        });
        if !is_aligned {
            return false;
        }
        let mut left = right.size;
        for node in &right.nodes {
            let Some(level) = left.checked_ilog2() else { break };
            self.push_subtree(*node, level);
            left -= 1 << level;
        }
        true
    }

    /// Appends a complete subtree of `2^level` leaves, of which the size is a multiple.
    fn push_subtree(&mut self, root: Hash, level: u32) {
        let mut node = root;
        for _ in 0..(self.size >> level).trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1 << level;
    }

    /// The root; for the empty tree SHA-256 of nothing, as RFC 6962 says.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else { return empty_root() };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;

    /// The definition of RFC 6962 section 2.1, written as it stands there.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(
                    &root_by_definition(&leaves[..split]),
                    &root_by_definition(&leaves[split..]),
                )
            }
        }
    }

    #[test]
    fn the_frontier_gives_the_root_of_the_definition() {
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        assert_eq!(frontier.root(), root_by_definition(&leaves));
        for i in 0_u64..130 {
            let leaf = sha256(&[&i.to_be_bytes()]);
            frontier.push(leaf);
            leaves.push(leaf);
            assert_eq!(frontier.root(), root_by_definition(&leaves), "size {}", i + 1);
            let again = Frontier::from_parts(frontier.size(), &frontier.to_bytes());
            assert_eq!(again.as_ref(), Some(&frontier));
        }
    }

    #[test]
    fn trees_side_by_side_make_the_tree_of_all_leaves() {
        let leaf = |i: u64| sha256(&[&i.to_be_bytes()]);
        let tree = |range: std::ops::Range<u64>| {
            let mut tree = Frontier::new();
            range.for_each(|i| tree.push(leaf(i)));
            tree
        };
        for left in 0..70_u64 {
            for right in 0..40_u64 {
                let mut joined = tree(0..left);
                let fits = right == 0 || left % right.next_power_of_two() == 0;
                assert_eq!(joined.append(&tree(left..left + right)), fits, "{left} and {right}");
                let size = if fits { left + right } else { left };
                assert_eq!(joined, tree(0..size), "{left} and {right}");
            }
        }
    }

    #[test]
    fn a_frontier_of_another_size_is_refused() {
        assert_eq!(Frontier::from_parts(3, &[0; 32]), None);
        assert_eq!(Frontier::from_parts(1, &[0; 31]), None);
    }

    #[test]
    fn roots_of_the_public_test_log() {
        // Leaves and roots of the RFC 6962 reference tests (transparency-dev/merkle, testdata).
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let mut frontier = Frontier::new();
        for leaf in leaves {
            frontier.push(crate::leaf::leaf_hash(leaf));
        }
        assert_eq!(
            frontier.root().to_hex(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }
}
