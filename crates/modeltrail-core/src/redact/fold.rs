//! A plain copy of a text whose digits or marks are written in other characters: full-width and
//! other scripts' digits, characters without width between them, `[at]` for '@'. Rules read the
//! copy; what they find is mapped back.

/// A copy, and for each of its bytes where the character it comes from starts in the text, with one
/// entry more for the end.
pub(super) struct Folded {
    pub(super) text: String,
    origins: Vec<usize>,
}

/// What stands for '@' or '.' in ASCII. `spaced` forms take the space on either side with them.
const SPELLED: &[(&str, char)] = &[
    ("&#64;", '@'),
    ("&#x40;", '@'),
    ("&commat;", '@'),
    ("\\u0040", '@'),
    (" [at] ", '@'),
    ("[at]", '@'),
    (" (at) ", '@'),
    ("(at)", '@'),
    (" [dot] ", '.'),
    ("[dot]", '.'),
    (" (dot) ", '.'),
    ("(dot)", '.'),
];

/// Zeros of the scripts whose decimal digits are folded (Unicode, general category Nd).
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0,
    0xf20, 0x1040, 0x17e0, 0x1810,
];

/// What a character is read as: itself (`None`), nothing, or another.
fn folded(c: char) -> Option<Option<char>> {
    let code = u32::from(c);
    Some(match code {
        // Soft hyphen, zero-width and direction marks, byte order mark, selectors of variants, the
        // frame around a keycap.
        0xad
        | 0x180e
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x2064
        | 0x2066..=0x2069
        | 0xfeff
        | 0xfe00..=0xfe0f
        | 0x20e3 => None,
        // Full-width forms of ASCII, and the ideographic space.
        0xff01..=0xff5e => Some(char::from_u32(code - 0xfee0)?),
        0x3000 => Some(' '),
        0xfe6b => Some('@'),
        // Mathematical digits, five styles of ten.
        0x1d7ce..=0x1d7ff => Some(char::from_digit((code - 0x1d7ce) % 10, 10)?),
        _ => {
            let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
            Some(char::from_digit(code - zero, 10)?)
        }
    })
}

/// The plain copy, if the text needs one.
pub(super) fn fold(text: &str) -> Option<Folded> {
    let wide = !text.is_ascii() && text.chars().any(|c| !c.is_ascii() && folded(c).is_some());
    if !wide && !is_spelled(text) {
        return None;
    }
    let mut copy = Folded {
        text: String::with_capacity(text.len()),
        origins: Vec::with_capacity(text.len() + 1),
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        let spelled = spelled_at(rest);
        let (read, len) = match spelled {
            Some((sign, len)) => (Some(sign), len),
            None if c.is_ascii() => (Some(c), 1),
            None => (folded(c).unwrap_or(Some(c)), c.len_utf8()),
        };
        if let Some(c) = read {
            copy.text.push(c);
            copy.origins.extend(std::iter::repeat_n(at, c.len_utf8()));
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    copy.origins.push(text.len());
    Some(copy)
}

fn is_spelled(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mark = |at: usize| match bytes.get(at + 1) {
        Some(b'#' | b'c') => bytes.get(at) == Some(&b'&'),
        Some(b'a' | b'A' | b'd' | b'D') => bytes.get(at) != Some(&b'&'),
        _ => false,
    };
    memchr::memchr3_iter(b'&', b'[', b'(', bytes).any(mark)
        || memchr::memchr_iter(b'\\', bytes).any(|at| bytes.get(at + 1) == Some(&b'u'))
}

fn spelled_at(rest: &str) -> Option<(char, usize)> {
    if !rest.starts_with(['&', '\\', ' ', '[', '(']) {
        return None;
    }
    let starts =
        |form: &str| rest.get(..form.len()).is_some_and(|head| head.eq_ignore_ascii_case(form));
    SPELLED.iter().find(|(form, _)| starts(form)).map(|(form, sign)| (*sign, form.len()))
}

impl Folded {
    /// The bytes of the text from which the bytes of the copy come.
    pub(super) fn origin(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let last = *self.origins.get(end.checked_sub(1)?)?;
        let next = self.origins.iter().skip(end).find(|origin| **origin > last)?;
        // Characters without width behind the last one stay, those between are taken.
        Some((*self.origins.get(start)?, *next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        fold(text).map(|folded| folded.text)
    }

    #[test]
    fn other_characters_are_read_as_ascii() {
        assert_eq!(plain("４１１１\u{200b}1"), Some("41111".into()));
        assert_eq!(plain("٠١٢ १२३ 𝟏𝟗"), Some("012 123 19".into()));
        assert_eq!(plain("bob [AT] example (dot) com"), Some("bob@example.com".into()));
        assert_eq!(plain("bob&#64;example.com"), Some("bob@example.com".into()));
        assert_eq!(plain("Grüße, 你好 – \u{a0}x"), None);
    }

    #[test]
    fn what_is_found_is_mapped_back() {
        let folded = fold("é１２\u{200d}３x").unwrap();
        assert_eq!(folded.text, "é123x");
        assert_eq!(folded.origin(2, 5), Some((2, 14)));
        assert_eq!(folded.origin(2, 3), Some((2, 5)));
    }
}
