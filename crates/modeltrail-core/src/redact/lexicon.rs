//! The words that say what a number is. All lists are in lower case and sorted.

use super::rule::RuleSet;

/// The longest word in the lists below; longer ones are in none.
const WORD_BYTES_MAX: usize = 24;

/// Sorted. Name a telephone, in text and as a member's name.
pub(super) static PHONE_STRONG: Words = Words::of(&[
    "cell",
    "cellphone",
    "cellular",
    "cellulare",
    "celular",
    "celulares",
    "fax",
    "faxes",
    "faxnummer",
    "fone",
    "gsm",
    "handy",
    "handynummer",
    "hotline",
    "landline",
    "mobil",
    "mobile",
    "mobilenumber",
    "mobiles",
    "mobilnummer",
    "mobiltelefon",
    "msisdn",
    "ph",
    "phone",
    "phoneno",
    "phonenum",
    "phonenumber",
    "phonenumbers",
    "phones",
    "puhelin",
    "puhelinnumero",
    "rufnummer",
    "sms",
    "tel",
    "telefon",
    "telefone",
    "telefonnumer",
    "telefonnummer",
    "telefono",
    "telefonszam",
    "telefoon",
    "telephone",
    "telephones",
    "telepon",
    "telno",
    "telnr",
    "telp",
    "tlf",
    "whatsapp",
]);

/// Strong words outside ASCII; found inside a word, because some scripts set no spaces.
pub(super) const PHONE_STRONG_WIDE: &[&str] = &[
    "teléfono",
    "tél",
    "móvil",
    "телефон",
    "Телефон",
    "ТЕЛЕФОН",
    "전화",
    "휴대폰",
    "핸드폰",
    "電話",
    "电话",
    "手机",
    "携帯",
    "τηλέφωνο",
    "τηλ",
    "κινητό",
    "telefonszám",
    "thoại",
    "טלפון",
    "هاتف",
    "جوال",
    "موبايل",
    "โทร",
    "फ़ोन",
    "फोन",
    "मोबाइल",
];

/// Sorted. Tell of getting in touch, in text and as a member's name.
pub(super) static PHONE_WEAK: Words =
    Words::of(&["callback", "caller", "callers", "contact", "contacts", "dial"]);

/// Sorted. The same in text only: as names of members these are mostly calls of functions.
pub(super) static PHONE_WEAK_TEXT: Words =
    Words::of(&["call", "called", "calling", "calls", "dialed", "dialled"]);

/// Sorted. Name a number that is no telephone's.
pub(super) static OTHER: Words = Words::of(&[
    "acct",
    "amount",
    "at",
    "barcode",
    "batch",
    "booking",
    "build",
    "bytes",
    "case",
    "checksum",
    "claim",
    "code",
    "confirmation",
    "count",
    "created",
    "date",
    "epoch",
    "hash",
    "iban",
    "id",
    "ids",
    "imei",
    "index",
    "invoice",
    "isbn",
    "item",
    "key",
    "licence",
    "license",
    "ms",
    "nhs",
    "npi",
    "ns",
    "offset",
    "order",
    "orders",
    "page",
    "part",
    "passport",
    "po",
    "policy",
    "product",
    "ref",
    "reference",
    "routing",
    "row",
    "seconds",
    "seed",
    "seq",
    "sequence",
    "serial",
    "size",
    "sku",
    "tax",
    "ticket",
    "time",
    "timestamp",
    "token",
    "total",
    "tracking",
    "transaction",
    "ts",
    "txn",
    "unix",
    "us",
    "version",
]);

/// Sorted. Units that can stand right behind a number.
pub(super) static UNITS: Words = Words::of(&[
    "bytes", "events", "items", "messages", "ms", "ns", "orders", "points", "records", "requests",
    "rows", "seconds", "times", "tokens", "users",
]);

/// Sorted. Those of [`OTHER`] that mean that only behind a member's name (`created_at`,
/// `latency_us`); in text they are words of every sentence ("call us at …").
pub(super) static OTHER_IN_NAMES_ONLY: Words = Words::of(&["at", "us"]);

/// Sorted. Last words of names whose bare integers are identifiers or times.
pub(super) static IDENTIFIER: Words = Words::of(&[
    "at",
    "checksum",
    "created",
    "epoch",
    "guid",
    "hash",
    "id",
    "ids",
    "ms",
    "nonce",
    "ns",
    "offset",
    "seed",
    "seq",
    "sequence",
    "snowflake",
    "span",
    "time",
    "timestamp",
    "trace",
    "ts",
    "uid",
    "updated",
    "us",
    "uuid",
]);

/// Sorted. Words in a name that make a card of an identifier (`card_id`).
pub(super) static CARD: Words =
    Words::of(&["card", "cardnumber", "cards", "cc", "creditcard", "debitcard", "pan"]);

/// Sorted. Name a US social security number by themselves.
pub(super) static SSN: Words = Words::of(&[
    "socialsecurity",
    "socialsecurityno",
    "socialsecuritynumber",
    "ssn",
    "ssnnumber",
    "ssns",
]);

/// A sorted list of lower-case words, with the lengths that words of each first letter have: most
/// words that are asked for are told by that.
pub(super) struct Words {
    list: &'static [&'static str],
    lengths: [u32; 32],
}

impl Words {
    pub(super) const fn of(list: &'static [&'static str]) -> Self {
        let mut words = Self { list, lengths: [0; 32] };
        words.add(list);
        words
    }

    /// Its words.
    pub(super) const fn list(&self) -> &'static [&'static str] {
        self.list
    }

    const fn add(&mut self, list: &[&str]) {
        let mut n = 0;
        while n < list.len() {
            let word = list[n].as_bytes();
            if word.len() <= WORD_BYTES_MAX && !word.is_empty() {
                self.lengths[(word[0] & 31) as usize] |= 1 << word.len();
            }
            n += 1;
        }
    }
}

/// Whether some word has this length behind this first letter.
fn may_be(lengths: &[u32; 32], word: &str) -> bool {
    let first = word.as_bytes().first().map_or(0, |byte| usize::from(byte & 31));
    word.len() <= WORD_BYTES_MAX && lengths.get(first).is_some_and(|l| l >> word.len() & 1 == 1)
}

/// The lengths that words of several lists have between each first and last letter: one look-up
/// tells nearly every word that is in none of them.
pub(super) struct Shapes([[u32; 32]; 32]);

impl Shapes {
    pub(super) const fn of(sets: &[&Words], more: &[&str]) -> Self {
        let mut shapes = Self([[0; 32]; 32]);
        let mut n = 0;
        while n < sets.len() {
            shapes.add(sets[n].list);
            n += 1;
        }
        shapes.add(more);
        shapes
    }

    /// The shapes of the first words of phrases.
    pub(super) const fn of_first_words(phrases: &[(&str, RuleSet)]) -> Self {
        let mut shapes = Self([[0; 32]; 32]);
        let mut n = 0;
        while n < phrases.len() {
            let mut word = phrases[n].0.as_bytes();
            let mut end = 0;
            while end < word.len() && word[end] != b' ' {
                end += 1;
            }
            word = word.split_at(end).0;
            shapes.add_word(word);
            n += 1;
        }
        shapes
    }

    const fn add(&mut self, list: &[&str]) {
        let mut n = 0;
        while n < list.len() {
            self.add_word(list[n].as_bytes());
            n += 1;
        }
    }

    /// Longer words are asked for by nobody: [`Shapes::may_have`] lets them pass.
    const fn add_word(&mut self, word: &[u8]) {
        if let ([first, ..], [.., last]) = (word, word)
            && word.len() <= WORD_BYTES_MAX
        {
            self.0[(*first & 31) as usize][(*last & 31) as usize] |= 1 << word.len();
        }
    }

    /// Whether a list may hold `word`.
    pub(super) fn may_have(&self, word: &str) -> bool {
        let (Some(first), Some(last)) = (word.as_bytes().first(), word.as_bytes().last()) else {
            return false;
        };
        let row = self.0.get(usize::from(first & 31));
        let lengths = row.and_then(|row| row.get(usize::from(last & 31)));
        word.len() > WORD_BYTES_MAX || lengths.is_some_and(|l| l >> word.len() & 1 == 1)
    }
}

/// Whether a list holds `word` in any case.
pub(super) fn is_in(words: &Words, word: &str) -> bool {
    if !may_be(&words.lengths, word) {
        return false;
    }
    let mut lower = [0_u8; WORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    words.list.binary_search_by(|entry| entry.as_bytes().cmp(lower)).is_ok()
}

/// Checks a list, for the tests of those who have one.
#[cfg(test)]
pub(super) fn check(words: &Words) {
    assert!(words.list.is_sorted(), "{:?}", words.list);
    assert!(words.list.iter().all(|word| word.len() <= WORD_BYTES_MAX), "{:?}", words.list);
    assert!(words.list.iter().all(|word| is_in(words, &word.to_uppercase())), "{:?}", words.list);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_short_enough() {
        let lists = [
            &PHONE_STRONG,
            &PHONE_WEAK,
            &PHONE_WEAK_TEXT,
            &OTHER,
            &OTHER_IN_NAMES_ONLY,
            &UNITS,
            &IDENTIFIER,
            &CARD,
            &SSN,
        ];
        lists.into_iter().for_each(check);
    }
}
