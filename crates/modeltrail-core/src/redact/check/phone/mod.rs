//! Telephone numbers by the numbering plans of the world: which calling codes there are, which
//! lengths national numbers have, and which digits they begin with.
//!
//! The table is `plans.txt`, some 38 KB, written by `plans.py` from libphonenumber's
//! metadata (Apache-2.0; the release is named in the file): fixed, mobile, toll-free and all other
//! kinds of numbers together, with three leading digits told apart. Of 300,000 random numbers (an
//! assigned calling code, 5 to 12 digits) libphonenumber 9.0.43 holds 16,683 valid, and so does
//! this; of the others this lets pass 1,424, among them those with a trunk prefix too many.

/// One line per calling code, `CODE COUNTRIES TRUNK PLAN`; a plan is `LENGTHS:RANGES;…`, lengths
/// as digits of base 36, ranges of leading digits (`2`, `30-34`).
const PLANS: &str = include_str!("plans.txt");

/// The line of [`PLANS`] at which a calling code has its plan. Zero is none: the file begins with
/// a comment.
const LINES: [u16; 1000] = index();

/// The calling code of North America, whose plan has a rule for the fourth digit too.
const NANP: usize = 1;

/// Numbers as they are dialled within any country stand under this code, which nobody has.
const ANYWHERE: usize = 0;

/// One calling code's line.
struct Plan {
    code: usize,
    countries: &'static str,
    trunk: &'static [u8],
    plan: &'static str,
}

/// Whether these digits, which stood behind a `+` (or an international prefix), are a number: a
/// calling code, a national number of a length that it has behind these leading digits. A trunk
/// prefix in between, as in `+44 (0)20 …`, is passed over.
pub(in crate::redact) fn international(digits: &[u8]) -> bool {
    split(digits).is_some_and(|(plan, rest)| plan.has(rest))
}

/// The same but for the leading digits: the code exists and national numbers of this length too.
/// For numbers in examples and fiction (`+1 555 …`), and plans that are newer than the table.
pub(in crate::redact) fn international_possible(digits: &[u8]) -> bool {
    split(digits).is_some_and(|(plan, rest)| {
        // North America's trunk prefix is its calling code: nobody dials it twice.
        let trunk = Some(plan.trunk).filter(|trunk| !trunk.is_empty() && plan.code != NANP);
        let bare = trunk.and_then(|trunk| rest.strip_prefix(trunk)).unwrap_or(rest);
        let lengths = || plan.plan.split(';').filter_map(|group| Some(group.split_once(':')?.0));
        lengths().any(|lengths| has_length(lengths, rest.len()) || has_length(lengths, bare.len()))
    })
}

/// Whether these digits are a number as it is dialled within a country (ISO 3166 code in
/// capitals), with or without its trunk prefix; without a country, within any, which says little: of
/// six digits and more nearly all are a number somewhere.
pub(in crate::redact) fn national(digits: &[u8], country: Option<[u8; 2]>) -> bool {
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let plan = match country {
        Some(country) => of_country(country),
        None => line(ANYWHERE),
    };
    plan.is_some_and(|plan| plan.has(digits))
}

/// The length of the calling code that these digits begin with.
pub(in crate::redact) fn calling_code_len(digits: &[u8]) -> Option<usize> {
    let mut code = 0;
    for (n, byte) in digits.iter().take(3).enumerate() {
        code = code * 10 + usize::from(byte.checked_sub(b'0').filter(|value| *value <= 9)?);
        if code == 0 {
            return None;
        }
        if LINES.get(code).is_some_and(|&at| at > 0) {
            return Some(n + 1);
        }
    }
    None
}

/// The plan of a calling code, and the digits behind it.
fn split(digits: &[u8]) -> Option<(Plan, &[u8])> {
    let (code, rest) = digits.split_at_checked(calling_code_len(digits)?)?;
    let code = code.iter().fold(0, |code, byte| code * 10 + usize::from(byte - b'0'));
    rest.iter().all(u8::is_ascii_digit).then_some((line(code)?, rest))
}

fn line(code: usize) -> Option<Plan> {
    let at = LINES.get(code).filter(|&&at| at > 0)?;
    let text = PLANS.get(usize::from(*at)..)?;
    let text = text.split_once('\n').map_or(text, |(text, _)| text);
    let mut fields = text.split(' ').skip(1);
    let countries = fields.next()?;
    let trunk = fields.next().filter(|trunk| *trunk != "-").unwrap_or_default().as_bytes();
    Some(Plan { code, countries, trunk, plan: fields.next()? })
}

fn of_country(country: [u8; 2]) -> Option<Plan> {
    // Once per candidate with a country; the plans themselves are not looked at.
    LINES.iter().enumerate().filter(|(_, at)| **at > 0).find_map(|(code, _)| {
        let plan = line(code)?;
        plan.countries.split(',').any(|name| name.as_bytes() == country).then_some(plan)
    })
}

impl Plan {
    /// Whether a national number is in the plan, with or without trunk prefix.
    fn has(&self, digits: &[u8]) -> bool {
        if self.has_bare(digits) {
            return true;
        }
        !self.trunk.is_empty()
            && digits.strip_prefix(self.trunk).is_some_and(|digits| self.has_bare(digits))
    }

    fn has_bare(&self, digits: &[u8]) -> bool {
        // North American exchanges begin with 2 to 9; the table ends before them.
        if self.code == NANP && !matches!(digits, [_, _, _, b'2'..=b'9', ..]) {
            return false;
        }
        self.plan.split(';').filter_map(|group| group.split_once(':')).any(|(lengths, ranges)| {
            has_length(lengths, digits.len()) && ranges.split(',').any(|range| leads(range, digits))
        })
    }
}

/// Whether a length is among those of a group.
fn has_length(lengths: &str, len: usize) -> bool {
    lengths.chars().any(|c| c.to_digit(36).is_some_and(|n| usize::try_from(n) == Ok(len)))
}

/// Whether digits begin with one of a range (`30-34`) of leading digits.
fn leads(range: &str, digits: &[u8]) -> bool {
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    digits.get(..low.len()).is_some_and(|lead| (low.as_bytes()..=high.as_bytes()).contains(&lead))
}

/// Where each calling code's line begins.
#[expect(clippy::as_conversions, reason = "const; a digit fits, and the file has less than 64 KiB")]
const fn index() -> [u16; 1000] {
    let bytes = PLANS.as_bytes();
    assert!(bytes.len() <= u16::MAX as usize);
    let mut lines = [0; 1000];
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut code = 0;
        while bytes[at].is_ascii_digit() {
            code = code * 10 + (bytes[at] - b'0') as usize;
            at += 1;
        }
        if at > start {
            lines[code] = start as u16;
        }
        while bytes[at] != b'\n' {
            at += 1;
        }
        at += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Countries, calling codes and national numbers of libphonenumber's examples.
    fn examples() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        include_str!("examples.txt").lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut fields = line.split(' ');
            (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap())
        })
    }

    #[test]
    fn every_countrys_examples_are_numbers() {
        let mut n_examples = 0;
        for (country, code, number) in examples() {
            let whole = format!("{code}{number}");
            assert!(international(whole.as_bytes()), "+{whole}");
            assert!(international_possible(whole.as_bytes()), "+{whole}");
            let hint = country.as_bytes().try_into().ok();
            assert!(national(number.as_bytes(), hint), "{country} {number}");
            assert!(national(number.as_bytes(), None), "{number} anywhere");
            n_examples += 1;
        }
        assert!(n_examples > 400);
    }

    #[test]
    fn a_number_with_many_digits_more_or_less_is_none() {
        for (_, code, number) in examples() {
            let short = format!("{code}{}", &number[..number.len().min(2)]);
            let long = format!("{code}{number}0123456789");
            for other in [short, long] {
                assert!(!international(other.as_bytes()), "+{other}");
                assert!(!international_possible(other.as_bytes()), "+{other}");
            }
        }
    }

    #[test]
    fn a_trunk_prefix_is_passed_over() {
        let country = |name: &[u8; 2]| Some(*name);
        assert!(international(b"442079460958") && international(b"4402079460958"));
        assert!(
            national(b"02079460958", country(b"GB")) && national(b"2079460958", country(b"GB"))
        );
        assert!(national(b"01711234567", country(b"DE")) && national(b"01711234567", None));
        assert!(
            national(b"89161234567", country(b"RU")) && national(b"9161234567", country(b"RU"))
        );
        assert!(
            national(b"2125551234", country(b"US")) && national(b"12125551234", country(b"US"))
        );
        // Italy has no trunk prefix: the zero is part of the number.
        assert!(international(b"390612345678") && !international(b"39612345678"));
    }

    #[test]
    fn digits_that_lead_no_number_are_refused() {
        // Unassigned codes; an area from 1, an exchange from 1; a German number from 0.
        for digits in ["2101234567", "8591234567", "11234567890", "12121551234", "12345", "0"] {
            assert!(!international(digits.as_bytes()), "+{digits}");
        }
        assert!(!national(b"1125551234", Some(*b"US")) && !national(b"2125551234", Some(*b"FR")));
        assert!(!national(b"2125551234", Some(*b"XX")) && !national(b"123", None));
        assert!(!international(b"44207946095x") && !international("4420é".as_bytes()));
        assert!(!national(b"", None) && !international(b"") && !national(b"20794\xff0958", None));
    }

    #[test]
    fn fictional_numbers_are_possible_though_no_plan_has_them() {
        // Spain has no trunk prefix and nine digits.
        assert!(international_possible(b"34012345678"));
        assert!(!international_possible(b"340123456789") && !international_possible(b"34"));
        assert!(international_possible(b"15555555555") && !international(b"15555555555"));
        assert!(!international_possible(b"155555") && !international_possible(b"9991234567890"));
    }

    #[test]
    fn calling_codes_are_told_from_what_follows() {
        assert_eq!(calling_code_len(b"12125551234"), Some(1));
        assert_eq!(calling_code_len(b"4915112345678"), Some(2));
        assert_eq!(calling_code_len(b"35812345678"), Some(3));
        assert_eq!((calling_code_len(b"0123"), calling_code_len(b"210")), (None, None));
        assert_eq!((calling_code_len(b"3"), calling_code_len(b"+49")), (None, None));
    }
}
