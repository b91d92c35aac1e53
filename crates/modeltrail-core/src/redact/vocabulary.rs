//! Which words can mean anything at all: a filter in front of the word lists, so that most texts and
//! names are passed over after one look at each letter.

use super::lexicon::Words;
use super::rule::RuleSet;

/// Bits of the filter. Some thousand words set one bit each, so that one word in sixteen that is in
/// no list is looked up in vain.
const BITS: usize = 16 * 1024;

/// The words of several lists, as one bit each of a table. A word that is in a list is always told;
/// one that is in none is told in vain now and then.
pub(super) struct Vocabulary([u64; BITS / 64]);

/// FNV-1a, 32 bits.
const HASH_START: u32 = 0x811c_9dc5;

/// A letter of either case, or a byte of a wider character, taken into the hash of its word.
const fn hashed(hash: u32, byte: u8) -> u32 {
    (hash ^ (byte | 0x20) as u32).wrapping_mul(0x0100_0193)
}

/// The bit of a word with this hash.
const fn bit(hash: u32) -> usize {
    // The upper half of the product is the better mixed one.
    ((hash ^ (hash >> 15)) as usize) % BITS
}

impl Vocabulary {
    /// The words of some lists, further words, and the first words of phrases.
    pub(super) const fn of(lists: &[&Words], more: &[&str], phrases: &[(&str, RuleSet)]) -> Self {
        let mut table = Self([0; BITS / 64]);
        let mut n = 0;
        while n < lists.len() {
            table.add_all(lists[n].list());
            n += 1;
        }
        table.add_all(more);
        let mut n = 0;
        while n < phrases.len() {
            table.add(phrases[n].0.as_bytes());
            n += 1;
        }
        table
    }

    const fn add_all(&mut self, words: &[&str]) {
        let mut n = 0;
        while n < words.len() {
            self.add(words[n].as_bytes());
            n += 1;
        }
    }

    /// Adds the word that a text starts with.
    const fn add(&mut self, word: &[u8]) {
        let (mut hash, mut n) = (HASH_START, 0);
        while n < word.len() && word[n] != b' ' {
            hash = hashed(hash, word[n]);
            n += 1;
        }
        let at = bit(hash);
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, hash: u32) -> bool {
        let at = bit(hash);
        self.0.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    /// Whether a text may hold one of the words, as [`super::context::words`] cuts it. What is not
    /// ASCII may always, because phrases are sought inside such words.
    pub(super) fn may_speak(&self, text: &str) -> bool {
        let (mut hash, mut in_word, mut small) = (HASH_START, false, false);
        for byte in text.bytes() {
            let letter = byte.is_ascii_alphabetic();
            let cut = !letter || (small && byte.is_ascii_uppercase());
            if in_word && cut && self.has(hash) {
                return true;
            }
            if cut {
                hash = HASH_START;
            }
            if letter {
                hash = hashed(hash, byte);
            } else if !byte.is_ascii() {
                return true;
            }
            (in_word, small) = (letter, byte.is_ascii_lowercase());
        }
        in_word && self.has(hash)
    }
}
