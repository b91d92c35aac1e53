//! Gathers a run of digit groups with the marks between them: `(212) 555-1234` is three groups.
//! The rules for numbers judge stretches of such a run.

/// How a group is joined to the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sep {
    /// It is the first of its run.
    Start,
    /// One or two spaces.
    Space,
    /// A hyphen or dash, bare or between spaces.
    Dash,
    /// A full stop.
    Dot,
    /// A parenthesis, with or without another mark.
    Paren,
    /// The slash behind an area code (`030/901820`).
    Slash,
}

impl Sep {
    /// Whether the mark binds its groups so closely that no number ends there.
    pub(super) fn is_tight(self) -> bool {
        matches!(self, Self::Dash | Self::Dot)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) sep: Sep,
}

/// Groups held at a time. The longest number is an international telephone's, fifteen digits
/// mostly in pairs; a longer run is judged in overlapping pieces.
const GROUPS_MAX: usize = 16;

/// In a piece that is cut off, candidates start before this group, so that each still sees the
/// nine groups after its first.
const STARTS_MAX: usize = GROUPS_MAX - 9;

/// Bytes of a hyphenated neighbour that are looked at: a UUID has 36.
const TOKEN_BYTES_MAX: usize = 36;

/// A run of digit groups, or a piece of one.
pub(super) struct Run<'t> {
    bytes: &'t [u8],
    groups: [Group; GROUPS_MAX],
    n: usize,
    /// Whether a '+' stands before the first group, and where a number with it starts.
    pub(super) plus: Option<usize>,
    /// Whether the first group is the end of a longer token.
    pub(super) glued_left: bool,
    /// Whether the last group is the start of a longer token.
    pub(super) glued_right: bool,
    /// Whether further groups follow.
    cut: bool,
}

impl<'t> Run<'t> {
    /// Gathers the run whose first digit is at `first`.
    pub(super) fn gather(text: &'t str, first: usize) -> Self {
        let bytes = text.as_bytes();
        let (start, decoded) = behind_percent_escape(bytes, first);
        let none = Group { start, end: start, sep: Sep::Start };
        let mut run = Self {
            bytes,
            groups: [none; GROUPS_MAX],
            n: 0,
            plus: plus_before(bytes, start),
            glued_left: !decoded && glued_left(bytes, start),
            glued_right: false,
            cut: true,
        };
        let (mut at, mut sep) = (start, Sep::Start);
        for group in &mut run.groups {
            let end = digits_end(bytes, at);
            *group = Group { start: at, end, sep };
            run.n += 1;
            let next = separator(bytes, end).or_else(|| {
                let area = bytes.get(at..end)?;
                slash(bytes, end, area, run.plus.is_some()).map(|next| (Sep::Slash, next))
            });
            let Some(next) = next else {
                run.cut = false;
                run.glued_right = glued_right(bytes, end);
                break;
            };
            (sep, at) = next;
        }
        run
    }

    /// Where a run's reading goes on if it was cut: the groups that can start a candidate, and
    /// the offset of the group to go on from, which then is only a neighbour.
    pub(super) fn starts(&self) -> (usize, Option<usize>) {
        if self.cut {
            (STARTS_MAX, self.group(STARTS_MAX - 1).map(|group| group.start))
        } else {
            (self.n, None)
        }
    }

    pub(super) fn group(&self, n: usize) -> Option<Group> {
        self.groups.get(..self.n)?.get(n).copied()
    }

    /// One past the last digit.
    pub(super) fn end(&self) -> usize {
        self.n.checked_sub(1).and_then(|last| self.group(last)).map_or(0, |group| group.end)
    }

    /// Digits in group `n`; 0 where there is none.
    pub(super) fn len(&self, n: usize) -> usize {
        self.group(n).map_or(0, |group| group.end - group.start)
    }

    /// How group `n` is joined to the one before it; `Start` where there is none.
    pub(super) fn sep(&self, n: usize) -> Sep {
        self.group(n).map_or(Sep::Start, |group| group.sep)
    }

    /// The digits of the groups from `first` to `last`, as values 0 to 9.
    pub(super) fn digits(&self, first: usize, last: usize) -> impl DoubleEndedIterator<Item = u8> {
        let groups = self.groups.get(first..(last + 1).min(self.n)).unwrap_or_default();
        groups
            .iter()
            .flat_map(|group| self.bytes.get(group.start..group.end).unwrap_or_default())
            .map(|byte| byte.wrapping_sub(b'0'))
    }

    /// The value of the first digit of group `n`.
    pub(super) fn leads(&self, n: usize) -> u8 {
        self.digits(n, n).next().unwrap_or(0)
    }

    /// The value of all digits of group `n`, which holds at most nine.
    pub(super) fn value(&self, n: usize) -> u32 {
        self.digits(n, n).fold(0, |value, digit| value.saturating_mul(10) + u32::from(digit))
    }

    /// Whether the byte at `at` is this one.
    pub(super) fn byte_is(&self, at: usize, byte: u8) -> bool {
        self.bytes.get(at) == Some(&byte)
    }

    /// Where the digits end that start at `at`.
    pub(super) fn digits_end(&self, at: usize) -> usize {
        digits_end(self.bytes, at)
    }

    /// Whether nothing is bound to the left of group `n`.
    pub(super) fn is_free_left(&self, n: usize) -> bool {
        if n == 0 { !self.glued_left } else { !self.sep(n).is_tight() }
    }

    /// Whether nothing is bound to the right of group `n`.
    pub(super) fn is_free_right(&self, n: usize) -> bool {
        if n + 1 >= self.n { !self.glued_right } else { !self.sep(n + 1).is_tight() }
    }

    /// Whether a clock time starts with the digits that end at `at`.
    pub(super) fn is_clock(&self, at: usize) -> bool {
        self.byte_is(at, b':') && self.bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    }

    /// Whether the bytes from `start` to `end` lie within a UUID.
    pub(super) fn in_uuid(&self, start: usize, end: usize) -> bool {
        let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let left = self.bytes.get(..start).unwrap_or_default();
        let right = self.bytes.get(end..).unwrap_or_default();
        let n_left = left.iter().rev().take(TOKEN_BYTES_MAX).take_while(|b| in_token(b)).count();
        let n_right = right.iter().take(TOKEN_BYTES_MAX).take_while(|b| in_token(b)).count();
        self.bytes.get(start - n_left..end + n_right).is_some_and(is_uuid)
    }
}

fn is_uuid(token: &[u8]) -> bool {
    token.len() == 36
        && token.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn digits_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// `%20` before a number is a space and no part of it: reading starts behind such an escape.
fn behind_percent_escape(bytes: &[u8], first: usize) -> (usize, bool) {
    let escaped = first.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'%');
    if escaped && digits_end(bytes, first) > first + 2 { (first + 2, true) } else { (first, false) }
}

/// The start of a number whose '+' (plain, or `%2B`) or '+(' stands before `start` and belongs to
/// no word or sum.
fn plus_before(bytes: &[u8], start: usize) -> Option<usize> {
    let before = bytes.get(..start)?;
    let before = before.strip_suffix(b"(").unwrap_or(before);
    let before = match before {
        [rest @ .., b'+'] | [rest @ .., b'%', b'2', b'B' | b'b'] => rest,
        _ => return None,
    };
    before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(before.len())
}

fn glued_left(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    match before {
        [.., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => false,
        [rest @ .., b'-' | b'_'] => is_mixed(rest.iter().rev()),
        [.., digit, b'.'] => digit.is_ascii_digit(),
        [.., byte] => byte.is_ascii_alphanumeric(),
        [] => false,
    }
}

fn glued_right(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end..).unwrap_or_default() {
        [b'-' | b'_', rest @ ..] => is_mixed(rest.iter()),
        [b'.', digit, ..] => digit.is_ascii_digit(),
        [byte, ..] => byte.is_ascii_alphanumeric() || *byte == b'@',
        [] => false,
    }
}

/// Whether a hyphenated neighbour holds a digit, so that the whole is a code (`tok-1a`), not a
/// word beside a number (`ssn-…`).
fn is_mixed<'b>(token: impl Iterator<Item = &'b u8>) -> bool {
    token
        .take(TOKEN_BYTES_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .any(u8::is_ascii_digit)
}

/// Where the digits start behind the slash that ends an area code: one that starts with a zero, or
/// one of an international number. DIN 5008 wrote German numbers so until 2020, and people do.
/// What follows has to be longer than the parts of a date or of a fraction.
fn slash(bytes: &[u8], at: usize, area: &[u8], international: bool) -> Option<usize> {
    /// Digits of an area code, its trunk zero included.
    const AREA_DIGITS: core::ops::RangeInclusive<usize> = 3..=6;
    /// The shortest group behind one: `089 / 636 48018`.
    const GROUP_DIGITS_MIN: usize = 3;
    let trunk = area.first() == Some(&b'0') && AREA_DIGITS.contains(&area.len());
    let foreign = international && (2..*AREA_DIGITS.end()).contains(&area.len());
    if !(trunk || foreign) {
        return None;
    }
    let next = match bytes.get(at..)? {
        [b' ', b'/', b' ', ..] => at + 3,
        [b'/', b' ', ..] => at + 2,
        [b'/', ..] => at + 1,
        _ => return None,
    };
    (digits_end(bytes, next) >= next + GROUP_DIGITS_MIN).then_some(next)
}

#[derive(Clone, Copy)]
enum Mark {
    Space,
    Dash,
    Dot,
    Open,
    Close,
}

/// What joins the digits that end at `at` to further digits, and where those start.
fn separator(bytes: &[u8], at: usize) -> Option<(Sep, usize)> {
    let (first, next) = mark(bytes, at)?;
    let sep = |sep, next: usize| bytes.get(next)?.is_ascii_digit().then_some((sep, next));
    let one = match first {
        Mark::Space => Sep::Space,
        Mark::Dash => Sep::Dash,
        Mark::Dot => Sep::Dot,
        Mark::Open | Mark::Close => Sep::Paren,
    };
    let Some((second, after)) = mark(bytes, next) else { return sep(one, next) };
    let third = mark(bytes, after);
    match (first, second, third) {
        (Mark::Space, Mark::Space, None) => sep(Sep::Space, after),
        (Mark::Space, Mark::Dash, Some((Mark::Space, end))) => sep(Sep::Dash, end),
        (Mark::Close, Mark::Space | Mark::Dash | Mark::Dot, None)
        | (Mark::Space | Mark::Dash | Mark::Dot, Mark::Open, None) => sep(Sep::Paren, after),
        (Mark::Close, Mark::Space, Some((Mark::Space | Mark::Open, end))) => sep(Sep::Paren, end),
        _ => None,
    }
}

fn mark(bytes: &[u8], at: usize) -> Option<(Mark, usize)> {
    let (mark, len) = match bytes.get(at..)? {
        [b' ', ..] => (Mark::Space, 1),
        [b'-', ..] => (Mark::Dash, 1),
        [b'.', ..] => (Mark::Dot, 1),
        [b'(', ..] => (Mark::Open, 1),
        [b')', ..] => (Mark::Close, 1),
        // U+00A0 no-break space.
        [0xc2, 0xa0, ..] => (Mark::Space, 2),
        // U+2007 figure space, U+2009 thin space, U+202F narrow no-break space.
        [0xe2, 0x80, 0x87 | 0x89 | 0xaf, ..] => (Mark::Space, 3),
        // U+2010 hyphen to U+2015 horizontal bar, U+2212 minus sign.
        [0xe2, 0x80, 0x90..=0x95, ..] | [0xe2, 0x88, 0x92, ..] => (Mark::Dash, 3),
        _ => return None,
    };
    Some((mark, at + len))
}
