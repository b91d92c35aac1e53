//! What is done with a value that was found: the texts that take its place.

use std::fmt;

use crate::hash::MacKey;

/// What is done with a value of some type, or under some path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// `[TYPE]` takes its place.
    Replace,
    /// A `*` for each character but the last ones; see [`mask`].
    Mask {
        /// How many characters stay, 1 to 6.
        keep_last: u8,
    },
    /// It is taken out: a denied member with its name, a denied element for `null`, a stretch of text with nothing
    /// in its place.
    Remove,
    /// A token that is the same for the same value under the same key; see [`pseudonym`].
    Pseudonym,
    /// It stays, and is counted.
    Keep,
}

/// Most characters that a mask lets stand. Rules for numbers read seven digits and more, so that
/// none of them finds what a mask has left.
pub const KEEP_LAST_MAX: u8 = 6;

/// How many characters `"mask"` without a number lets stand, as on receipts.
pub(super) const KEEP_LAST_DEFAULT: u8 = 4;

impl fmt::Display for Action {
    /// The canonical spelling, `mask 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace => f.write_str("replace"),
            Self::Mask { keep_last } => write!(f, "mask {keep_last}"),
            Self::Remove => f.write_str("remove"),
            Self::Pseudonym => f.write_str("pseudonym"),
            Self::Keep => f.write_str("keep"),
        }
    }
}

/// `value` with a `*` for each character but the last `keep_last`; and never more than half of
/// its characters, so that short values do not stand whole.
#[must_use]
pub fn mask(value: &str, keep_last: u8) -> String {
    let n_chars = value.chars().count();
    let n_masked = n_chars - usize::from(keep_last).min(n_chars / 2);
    let kept = value.chars().skip(n_masked);
    std::iter::repeat_n('*', n_masked).chain(kept).collect()
}

/// How spellings of one value are brought to one before a pseudonym is made of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Normal {
    /// E-mail and IP addresses: no white space around, lower case.
    Lower,
    /// Telephone numbers: digits alone, without `00` in front or a `(0)` behind the country code.
    /// What has no country code stays without one.
    Phone,
    /// Numbers with or without letters (cards, IBANs, ids): letters and digits alone, lower case.
    Alnum,
    /// Names and addresses: white space as single spaces, lower case.
    Words,
    /// Secrets and the rest: as it stands.
    Exact,
}

impl Normal {
    /// The normal form for a type of the registry, by its name; findings of a policy's own patterns
    /// are compared exactly. Types that are not known here are
    /// compared exactly, which parts spellings and never joins two values.
    #[must_use]
    pub fn of(type_name: &str) -> Self {
        const ALNUM: &[&str] = &[
            "aba_routing",
            "bank_account",
            "credit_card",
            "driver_license",
            "iban",
            "mac_address",
            "passport",
            "ssn",
        ];
        // National numbers are named by country: `us_itin`, `de_tax_id`.
        let by_country = type_name.as_bytes().get(2) == Some(&b'_');
        match type_name {
            "email" | "ip_address" => Self::Lower,
            "phone" => Self::Phone,
            "person_name" | "address" => Self::Words,
            name if by_country || ALNUM.contains(&name) => Self::Alnum,
            _ => Self::Exact,
        }
    }

    /// The value in its normal form. Digits of other scripts that are full-width (U+FF10 to
    /// U+FF19) count as ASCII's.
    #[must_use]
    pub fn apply(self, value: &str) -> String {
        let narrow = |c: char| match c {
            '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xff10 + 0x30).unwrap_or(c),
            c => c,
        };
        match self {
            Self::Lower => value.trim().to_lowercase(),
            Self::Phone => {
                let value =
                    value.replacen("(0)", "", usize::from(value.trim_start().starts_with('+')));
                let digits: String =
                    value.chars().map(narrow).filter(char::is_ascii_digit).collect();
                let bare = digits.strip_prefix("00").map(str::to_owned);
                bare.unwrap_or(digits)
            }
            Self::Alnum => value
                .chars()
                .map(narrow)
                .flat_map(char::to_lowercase)
                .filter(|c| c.is_alphanumeric())
                .collect(),
            Self::Words => value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
            Self::Exact => value.to_owned(),
        }
    }
}

/// The key of pseudonyms for one epoch of one ledger. Each epoch has a key of its own, random and
/// not derived from the one before: whoever destroys it parts all its tokens from their values.
#[derive(Clone)]
pub struct PseudonymKey {
    epoch: u32,
    key: MacKey,
}

impl PseudonymKey {
    /// The key of an epoch (from 0).
    #[must_use]
    pub fn new(epoch: u32, key: &[u8; 32]) -> Self {
        Self { epoch, key: MacKey::new(*key) }
    }

    /// Which epoch it is for.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
}

impl fmt::Debug for PseudonymKey {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PseudonymKey").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// How many bytes of the MAC a token shows: 64 bits, so that among a million persons two share a
/// token with a chance of 1 in 37 million.
const TOKEN_BYTES: usize = 8;

/// `[TYPE:EPOCH:TOKEN]`, as in `[EMAIL:a:kcfmaobhlhkffmbp]`: the token is the first 64 bits of
/// HMAC-SHA-256 (RFC 2104) under the epoch's key over the type's name, a zero byte and the normal
/// form of the value. Epoch and token are written in letters, because no rule may read a number in
/// what was put in a number's place: the sixteen hexadecimal digits as `a` to `p`, epochs as `a`
/// to `z`, `aa`, `ab`…
///
/// `type_name` is the name of the registry (`email`), or of an own pattern; `label` is what stands
/// in its replacement. The label is not hashed.
#[must_use]
pub fn pseudonym(
    key: &PseudonymKey,
    type_name: &str,
    label: &str,
    normal: Normal,
    value: &str,
) -> String {
    let mac = key.key.mac(&[type_name.as_bytes(), &[0], normal.apply(value).as_bytes()]);
    let letter = |n: u8| char::from(b'a' + (n & 15));
    let shown = mac.as_bytes().iter().take(TOKEN_BYTES);
    let token: String = shown.flat_map(|byte| [letter(byte >> 4), letter(*byte)]).collect();
    format!("[{label}:{}:{token}]", epoch_letters(key.epoch))
}

/// What an action puts in a value's place; `None` where it stays.
pub(super) fn replacement(
    action: Action,
    type_name: &str,
    label: &str,
    normal: Normal,
    value: &str,
    key: Option<&PseudonymKey>,
) -> Option<String> {
    match (action, key) {
        (Action::Keep, _) => None,
        (Action::Remove, _) => Some(String::new()),
        (Action::Mask { keep_last }, _) => Some(mask(value, keep_last)),
        (Action::Pseudonym, Some(key)) => Some(pseudonym(key, type_name, label, normal, value)),
        (Action::Replace, _) | (Action::Pseudonym, None) => Some(format!("[{label}]")),
    }
}

/// What stands between the brackets for a type that has no label of its own: its name in capitals.
#[must_use]
pub fn default_label(type_name: &str) -> String {
    type_name.to_ascii_uppercase()
}

/// Counts a, b … z, aa, ab …
fn epoch_letters(epoch: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(epoch) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// The bytes of the token at the start of `text` that stands for a value: `[EMAIL]`, or a
/// pseudonym. A scan passes over it, so that what it has put there is found by no rule, those of a
/// policy's own included. Nothing of anybody fits in: capitals, and letters that only a key explains.
#[must_use]
pub fn token_len(text: &str) -> Option<usize> {
    /// Longest type name of the registry or a policy.
    const LABEL_BYTES_MAX: usize = 32;
    let inner = text.strip_prefix('[')?;
    let len = inner
        .bytes()
        .take(LABEL_BYTES_MAX + 1)
        .position(|b| !(b.is_ascii_uppercase() || b == b'_'))?;
    let (label, rest) = inner.split_at_checked(len)?;
    let mut rest = Some(rest).filter(|_| !label.is_empty())?;
    if let Some(tail) = rest.strip_prefix(':') {
        let (epoch, tail) = tail.split_at_checked(tail.bytes().take(8).position(|b| b == b':')?)?;
        let tail = tail.strip_prefix(':')?;
        let (token, after) = tail.split_at_checked(2 * TOKEN_BYTES)?;
        let sound = (1..=7).contains(&epoch.len())
            && epoch.bytes().all(|byte| byte.is_ascii_lowercase())
            && token.bytes().all(|byte| (b'a'..=b'p').contains(&byte));
        rest = Some(after).filter(|_| sound)?;
    }
    rest.starts_with(']').then(|| text.len() - rest.len() + 1)
}
