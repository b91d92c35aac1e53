//! The words that say what a number is. All lists are in lower case and sorted.

/// The longest word in the lists below; longer ones are in none.
const WORD_BYTES_MAX: usize = 24;

/// Sorted. Name a telephone, in text and as a member's name.
pub(super) const PHONE_STRONG: &[&str] = &[
    "cell",
    "cellphone",
    "cellular",
    "cellulare",
    "celular",
    "fax",
    "faxes",
    "faxnummer",
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
    "phone",
    "phoneno",
    "phonenum",
    "phonenumber",
    "phonenumbers",
    "phones",
    "rufnummer",
    "sms",
    "tel",
    "telefon",
    "telefone",
    "telefonnummer",
    "telefono",
    "telephone",
    "telephones",
    "telno",
    "telnr",
    "whatsapp",
];

/// Strong words outside ASCII; found inside a word, because some scripts set no spaces.
pub(super) const PHONE_STRONG_WIDE: &[&str] = &[
    "teléfono",
    "téléphone",
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
];

/// Sorted. Tell of getting in touch, in text and as a member's name.
pub(super) const PHONE_WEAK: &[&str] =
    &["callback", "caller", "callers", "contact", "contacts", "dial"];

/// Sorted. The same in text only: as names of members these are mostly calls of functions.
pub(super) const PHONE_WEAK_TEXT: &[&str] =
    &["call", "called", "calling", "calls", "dialed", "dialled"];

/// Sorted. Name a number that is no telephone's.
pub(super) const OTHER: &[&str] = &[
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
];

/// Sorted. Units that can stand right behind a number.
pub(super) const UNITS: &[&str] = &[
    "bytes", "events", "items", "messages", "ms", "ns", "orders", "points", "records", "requests",
    "rows", "seconds", "times", "tokens", "users",
];

/// Sorted. Those of [`OTHER`] that mean that only behind a member's name (`created_at`,
/// `latency_us`); in text they are words of every sentence ("call us at …").
pub(super) const OTHER_IN_NAMES_ONLY: &[&str] = &["at", "us"];

/// Sorted. Last words of names whose bare integers are identifiers or times.
pub(super) const IDENTIFIER: &[&str] = &[
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
];

/// Sorted. Words in a name that make a card of an identifier (`card_id`).
pub(super) const CARD: &[&str] =
    &["card", "cardnumber", "cards", "cc", "creditcard", "debitcard", "pan"];

/// Sorted. Name a US social security number by themselves.
pub(super) const SSN: &[&str] =
    &["socialsecurity", "socialsecurityno", "socialsecuritynumber", "ssn", "ssnnumber", "ssns"];

/// Whether a sorted list of lower-case words holds `word` in any case.
pub(super) fn is_in(list: &[&str], word: &str) -> bool {
    let mut lower = [0_u8; WORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    list.binary_search_by(|entry| entry.as_bytes().cmp(lower)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_short_enough() {
        let lists = [
            PHONE_STRONG,
            PHONE_WEAK,
            PHONE_WEAK_TEXT,
            OTHER,
            OTHER_IN_NAMES_ONLY,
            UNITS,
            IDENTIFIER,
            CARD,
            SSN,
        ];
        for list in lists {
            assert!(list.is_sorted(), "{list:?}");
            assert!(list.iter().all(|word| word.len() <= WORD_BYTES_MAX), "{list:?}");
            assert!(list.iter().all(|word| is_in(list, &word.to_uppercase())), "{list:?}");
        }
    }
}
