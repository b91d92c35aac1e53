//! The vocabulary: 14,000 words under Zipf's law, so that text compresses and repeats as prose
//! does (zstd level 3 makes a third of it), and the short lists that fields choose from.

use std::collections::BTreeSet;

use crate::random::{Law, Rng};

/// Words of English and of customer service; the most frequent come first.
const COMMON: &str = "the of and to a in that is was for it with as his on be at by had not are but \
    from or have an they which one you were all her she there would their we him been has when \
    who will no more if out so up said what its about than into them can only other time new some \
    could these two may first then do any like my now over such our man me even most made after \
    also did many off before must well back through years much where your way down should because \
    each just state those people too little good make very year still see own work long here get \
    both between life being under never same another know while last might us great old go come \
    since against came right used take three himself few house use during without again place \
    around home small found went say part once general high upon school every don't account order \
    refund delivery shipping package invoice payment card charge subscription cancel update \
    address phone email support agent ticket reply customer service product quality price broken \
    excellent terrible slow fast love hate recommend disappointed happy waiting days weeks model \
    battery screen size color box return label tracking number please thanks help issue error \
    login password reset verify confirm";

const N_WORDS: usize = 14_000;
const ONSETS: &[&str] = &[
    "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl", "ch",
    "sh",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ea", "ou"];
const CODAS: &[&str] = &["", "n", "r", "s", "t", "l"];

pub(super) const CITIES: &[&str] = &[
    "Berlin", "Paris", "Madrid", "Rome", "Vienna", "Prague", "Warsaw", "Lisbon", "Dublin", "Oslo",
    "Helsinki", "Athens", "Boston", "Austin", "Denver", "Seattle", "Tokyo", "Osaka", "Sydney",
    "Toronto",
];
pub(super) const CATEGORIES: &[&str] = &[
    "electronics",
    "grocery",
    "travel",
    "fuel",
    "gambling",
    "jewelry",
    "restaurant",
    "pharmacy",
    "clothing",
    "utilities",
    "crypto",
    "charity",
    "gaming",
    "furniture",
    "books",
];
pub(super) const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "JPY"];
pub(super) const DEVICES: &[&str] = &["ios", "android", "web", "pos", "api"];
pub(super) const LANGUAGES: &[&str] = &["en", "en", "en", "de", "fr"];
pub(super) const CHANNELS: &[&str] = &["review", "email", "chat", "social"];
pub(super) const FIRST_NAMES: &[&str] = &[
    "jane", "john", "maria", "ali", "wei", "fatima", "carlos", "yuki", "olga", "peter", "anna",
    "lars", "nina", "omar", "priya", "tom", "eva", "hugo", "lea", "sam",
];
pub(super) const LAST_NAMES: &[&str] = &[
    "doe", "smith", "garcia", "khan", "chen", "rossi", "muller", "novak", "silva", "kim", "dubois",
    "jensen", "popov", "brown", "tanaka", "costa", "weber", "patel", "moreau", "lind",
];
/// Domains set aside for examples: nobody's mail.
pub(super) const DOMAINS: &[&str] = &[
    "example.com",
    "example.org",
    "mail.example.net",
    "shop.example.org",
    "xn--bcher-kva.example",
];
pub(super) const SYSTEM_PROMPTS: &[&str] = &[
    "You are a support assistant. Answer only from the knowledge base and keep replies short.",
    "You are a loan officer's assistant. Summarise the application and list missing documents.",
    "You are a clinical triage helper. Never give a diagnosis; route to the right department.",
];

/// The words and how often each is drawn.
pub(super) struct Words {
    words: Vec<String>,
    law: Law,
}

impl Words {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut words: Vec<String> = COMMON.split_whitespace().map(str::to_owned).collect();
        let mut seen: BTreeSet<String> = words.iter().cloned().collect();
        while words.len() < N_WORDS {
            let n_syllables = [1, 2, 2, 2, 3, 3].get(rng.index(6)).copied().unwrap_or(2);
            let word: String = (0..n_syllables)
                .flat_map(|_| [rng.pick(ONSETS), rng.pick(VOWELS), rng.pick(CODAS)])
                .collect();
            if seen.insert(word.clone()) {
                words.push(word);
            }
        }
        // Mandelbrot's shift keeps "the" near the 4 % that it has in English.
        let law = Law::zipf(u32::try_from(words.len()).unwrap_or(u32::MAX), 1.7, 1.0);
        Self { words, law }
    }

    /// Appends `n_words` words as sentences of 9 to 16 words.
    pub(super) fn prose(&self, rng: &mut Rng, out: &mut String, n_words: u64) {
        let step = 9 + rng.below(8);
        let mut capital = true;
        for i in 0..n_words {
            if i > 0 {
                out.push(' ');
            }
            let word = self.words.get(self.law.draw(rng)).map_or("", String::as_str);
            push_word(out, word, capital);
            capital = i > 0 && i.is_multiple_of(step) && i + 1 < n_words;
            if capital {
                out.push('.');
            }
        }
        out.push('.');
    }
}

/// Appends a word of ASCII letters, its first one as a capital when asked.
pub(super) fn push_word(out: &mut String, word: &str, capital: bool) {
    let mut letters = word.chars();
    if let Some(first) = letters.next() {
        out.push(if capital { first.to_ascii_uppercase() } else { first });
        out.push_str(letters.as_str());
    }
}
