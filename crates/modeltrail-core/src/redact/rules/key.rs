//! Names of members, as words: `api_key` in a policy stands for `apiKey`, `X-API-Key` and
//! `apikey`, not for `monkey` and not for `api_key_count`.

/// Words that say that a value is about the thing and not the thing itself: `password_length`,
/// `ssn_required`, `max_tokens`.
const CANCEL: &[&str] = &[
    "count", "enabled", "length", "max", "min", "mode", "present", "required", "reset", "sent",
    "status", "stop", "strength", "template", "type", "valid", "version",
];

/// How many words of a name are taken together: `national_insurance_number_of_the_person`.
const WORDS_TOGETHER: usize = 6;

/// Longest key in bytes, once joined.
const KEY_BYTES_MAX: usize = 64;

/// How much of a name is read. Longer ones are data, not names.
const NAME_BYTES_MAX: usize = 512;

/// A name cut into words: in lower case, one after the other, and where each ends. Kept between
/// names, so that none is allocated.
#[derive(Clone, Default, Debug)]
pub(super) struct Words {
    joined: String,
    ends: Vec<usize>,
}

impl Words {
    /// Cuts a name at all that is neither letter nor digit, between letters and digits, and where
    /// a capital begins a word (`userID`, `XMLHttp`).
    pub(super) fn read(&mut self, name: &str) {
        self.joined.clear();
        self.ends.clear();
        let mut chars = name.chars().peekable();
        let mut last = ' ';
        let mut n_read = 0;
        while let Some(c) = chars.next() {
            n_read += c.len_utf8();
            if n_read > NAME_BYTES_MAX {
                break;
            }
            let next_small = chars.peek().is_some_and(|next| next.is_lowercase());
            let begins = (c.is_uppercase() && (last.is_lowercase() || next_small))
                || c.is_numeric() != last.is_numeric()
                || !last.is_alphanumeric();
            if begins {
                self.end_word();
            }
            if c.is_alphanumeric() {
                self.joined.extend(c.to_lowercase());
            }
            last = c;
        }
        self.end_word();
    }

    fn end_word(&mut self) {
        let end = self.joined.len();
        if end > self.ends.last().copied().unwrap_or(0) {
            self.ends.push(end);
        }
    }

    /// Calls `hit` with the place in `keys` (sorted by their text) of each key that stands in the
    /// name as whole words, unless another word cancels it.
    pub(super) fn find<T>(&self, keys: &[(String, T)], mut hit: impl FnMut(&T)) {
        for first in 0..self.ends.len() {
            for last in first..self.ends.len().min(first + WORDS_TOGETHER) {
                let run = self.run(first, last);
                let from = keys.partition_point(|(key, _)| key.as_str() < run);
                let same = keys.iter().skip(from).take_while(|(key, _)| key == run);
                for (n, (_, value)) in same.enumerate() {
                    if n == 0 && self.is_cancelled(first, last) {
                        break;
                    }
                    hit(value);
                }
            }
        }
    }

    /// The words from `first` to `last`, joined.
    fn run(&self, first: usize, last: usize) -> &str {
        let start = first.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        let end = self.ends.get(last).copied().unwrap_or(start);
        self.joined.get(start..end).unwrap_or_default()
    }

    fn is_cancelled(&self, first: usize, last: usize) -> bool {
        let mut outside = (0..self.ends.len()).filter(|n| !(first..=last).contains(n));
        outside.any(|n| CANCEL.contains(&self.run(n, n)))
    }
}

/// A key of a policy as it is compared: its words joined, in lower case. `None` when it has none
/// or is too long.
pub(super) fn joined(key: &str) -> Option<String> {
    let mut words = Words::default();
    words.read(key);
    let n_words = words.ends.len();
    Some(words.joined)
        .filter(|joined| (1..=KEY_BYTES_MAX).contains(&joined.len()) && n_words <= WORDS_TOGETHER)
}
