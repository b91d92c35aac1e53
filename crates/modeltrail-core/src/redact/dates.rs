//! Dates as people write them. Which of them are dates of birth is for the words around them.

use super::check;

/// Months by their first three letters, in English, German, French, Spanish, Italian, Portuguese
/// and Dutch. Longer words have to be letters to their end.
const MONTHS: &[(&str, u32)] = &[
    ("jan", 1),
    ("jän", 1),
    ("ene", 1),
    ("gen", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("mar", 3),
    ("mär", 3),
    ("maa", 3),
    ("mrt", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("jun", 6),
    ("jui", 6),
    ("giu", 6),
    ("jul", 7),
    ("lug", 7),
    ("aug", 8),
    ("aoû", 8),
    ("ago", 8),
    ("sep", 9),
    ("set", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("nov", 11),
    ("dec", 12),
    ("déc", 12),
    ("dez", 12),
    ("dic", 12),
];

/// Where the time ends that starts at `start` with its date, as in RFC 3339: `2026-03-15T09:30:00.123Z`,
/// `2026-03-15 09:30:00+01:00`. There is nobody's number in it, whatever its digits are.
pub(super) fn stamp(bytes: &[u8], start: usize) -> Option<usize> {
    const FORM: &[u8; 19] = b"0000-00-00T00:00:00";
    let rest = bytes.get(start..)?;
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        form => byte == form,
    };
    let whole = rest.get(..FORM.len())?.iter().zip(FORM).all(fits);
    if !whole {
        return None;
    }
    let mut n = FORM.len();
    let digits = |from: usize| {
        rest.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    };
    if matches!(rest.get(n), Some(b'.' | b',')) {
        let n_digits = digits(n + 1);
        if !(1..=9).contains(&n_digits) {
            return None;
        }
        n += 1 + n_digits;
    }
    match rest.get(n) {
        Some(b'Z' | b'z') => n += 1,
        Some(b'+' | b'-')
            if digits(n + 1) == 2 && rest.get(n + 3) == Some(&b':') && digits(n + 4) == 2 =>
        {
            n += 6;
        }
        _ => {}
    }
    let goes_on = rest
        .get(n)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'+'));
    (!goes_on).then_some(start + n)
}

/// The date around the number that starts at `start`, as start and end: `1985-03-12`, `12/03/1985`,
/// `12.3.85`, `12 March 1985`, `March 12, 1985`, `19850312`.
pub(super) fn at(text: &str, start: usize) -> Option<(usize, usize)> {
    let (first, n_first, end) = number(text, start)?;
    let rest = text.get(end..)?;
    if n_first == 8 {
        let real = is_date(first / 10_000, first / 100 % 100, first % 100);
        return (real && is_free(text, end)).then_some((start, end));
    }
    if let Some(mark) = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.' | '年' | '년'))
        && let Some(end) = numeric(text, (first, n_first), end, mark)
    {
        return Some((start, end));
    }
    if n_first > 2 {
        return None;
    }
    let (month, year_at) = month_in(text, end).map_or((None, end), |(m, at)| (Some(m), at));
    if let Some(month) = month {
        let (year, n, end) = number(text, year_at)?;
        return (n == 4 && is_date(year, month, first) && is_free(text, end))
            .then_some((start, end));
    }
    american(text, start, first, end)
}

/// Two further numbers behind marks.
fn numeric(text: &str, (first, n_first): (u32, usize), end: usize, mark: char) -> Option<usize> {
    let (second, n_second, end) = number(text, skip_mark(text, end, mark)?)?;
    let wide = !mark.is_ascii();
    let behind = if wide { text.get(end..)?.chars().next()? } else { mark };
    if !wide && !text.get(end..)?.starts_with(mark) {
        return None;
    }
    let (third, n_third, end) = number(text, skip_mark(text, end, behind)?)?;
    let real = match (n_first, n_second, n_third) {
        (4, 1 | 2, 1 | 2) => is_date(first, second, third),
        (1 | 2, 1 | 2, 4) => is_date(third, second, first) || is_date(third, first, second),
        (1 | 2, 1 | 2, 2) if mark != '-' => {
            is_date(1900 + third, second, first) || is_date(1900 + third, first, second)
        }
        _ => false,
    };
    (real && (wide || is_free(text, end))).then_some(end)
}

fn skip_mark(text: &str, at: usize, mark: char) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(mark)?;
    Some(text.len() - rest.strip_prefix(' ').unwrap_or(rest).len())
}

/// `March 12, 1985`: the day stands at `start`.
fn american(text: &str, start: usize, day: u32, end: usize) -> Option<(usize, usize)> {
    let head = text.get(..start)?.strip_suffix(' ')?;
    let tail = head
        .get(head.len().saturating_sub(16)..)
        .or_else(|| head.get(head.len().saturating_sub(15)..))?;
    let word = tail.rsplit(|c: char| !c.is_alphabetic() && c != '.').next()?;
    let month = month(word.trim_end_matches('.'))?;
    let rest = text.get(end..)?;
    let suffix =
        ["st", "nd", "rd", "th"].iter().find(|s| rest.starts_with(**s)).map_or(0, |s| s.len());
    let rest = rest.get(suffix..)?;
    let rest = rest.strip_prefix(',').unwrap_or(rest).strip_prefix(' ')?;
    let (year, n, end) = number(text, text.len() - rest.len())?;
    let real = n == 4 && is_date(year, month, day) && is_free(text, end);
    real.then_some((head.len() - word.len(), end))
}

/// The month behind a day, and where the year starts.
fn month_in(text: &str, end: usize) -> Option<(u32, usize)> {
    let mut rest = text.get(end..)?;
    for skip in ["st", "nd", "rd", "th", ".", "º"] {
        rest = rest.strip_prefix(skip).unwrap_or(rest);
    }
    rest = rest.strip_prefix([' ', '-'])?;
    rest = rest.strip_prefix("de ").or_else(|| rest.strip_prefix("of ")).unwrap_or(rest);
    let len = rest.find(|c: char| !c.is_alphabetic())?;
    let month = month(rest.get(..len)?)?;
    let mut rest = rest.get(len..)?;
    for skip in [".", ",", " ", "-", "de ", "del "] {
        rest = rest.strip_prefix(skip).unwrap_or(rest);
    }
    Some((month, text.len() - rest.len()))
}

fn month(word: &str) -> Option<u32> {
    // "septiembre" and "settembre" are the longest but one.
    if word.len() > 12 {
        return None;
    }
    let lower = word.to_lowercase();
    let (_, month) = MONTHS.iter().find(|(start, _)| lower.starts_with(start))?;
    // "juillet" is no "juin".
    Some(if lower.starts_with("juil") { 7 } else { *month })
}

/// The number at `at`: its value, its digits and its end. At most eight digits.
fn number(text: &str, at: usize) -> Option<(u32, usize, usize)> {
    let rest = text.as_bytes().get(at..)?;
    let n = rest.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=8).contains(&n) {
        return None;
    }
    Some((text.get(at..at + n)?.parse().ok()?, n, at + n))
}

fn is_free(text: &str, end: usize) -> bool {
    !text.as_bytes().get(end).is_some_and(|b| b.is_ascii_digit() || *b == b'-' || *b == b'/')
}

/// Whether this is a day on which somebody now living can have been born.
fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1900..=2099).contains(&year) && check::is_date(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_dates_are_read() {
        for text in [
            "1985-03-12",
            "12/03/1985",
            "03/31/1985",
            "12.3.85",
            "12 March 1985",
            "12. März 1985",
            "19850312",
            "12 de marzo de 1985",
            "1st of May 1985",
            "12-Mar-1985",
            "1985年3月12",
            "12 juillet 1985",
        ] {
            assert_eq!(at(text, 0), Some((0, text.len())), "{text}");
        }
        assert_eq!(at("March 12, 1985", 6), Some((0, 14)));
        assert_eq!(at("on Sept. 3rd, 1985.", 9), Some((3, 18)));
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "1985-13-12",
            "30.02.1985",
            "12345678",
            "12 apples 1985",
            "1985",
            "3.14",
            "12 March",
            "1785-03-12",
            "1.2.3.4",
        ] {
            assert_eq!(at(text, 0), None, "{text}");
        }
    }
}
