//! Where a text and its masked copy differ, and the short excerpts that show it.
//!
//! The copy is not any other text: between the places where it differs both are the same, and what
//! stands at such a place is a token (`[EMAIL]`), a mask (`****1111`) or nothing. That makes one
//! pass enough where a general comparison of texts would take time by time.

use std::ops::Range;

use modeltrail_core::redact::rules::token_len;

/// Characters that are shown around a difference: the words that name a number stand there.
const AROUND_CHARS: usize = 32;

/// Characters that are shown of what was taken or put: a private key has thousands.
const SHOWN_CHARS: usize = 160;

/// Differences that are shown of one value; who has more of them in one text looks at the text.
const EXCERPTS_MAX: usize = 16;

/// Bytes by which the text behind a difference is found again.
const ANCHOR_BYTES: usize = 16;

/// Bytes at the end of a text that are compared as a whole: most values are no longer.
const TAIL_BYTES: usize = 4096;

/// Where the two texts differ.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Hunk {
    before: Range<usize>,
    after: Range<usize>,
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// As it may be shown: escaped as in JSON.
    pub(super) text: String,
    /// Whether it is what differs.
    pub(super) differs: bool,
}

/// A stretch of both texts with what differs in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Excerpt {
    pub(super) before: Vec<Piece>,
    pub(super) after: Vec<Piece>,
}

/// What differs, in order, and how many further differences there are that are not shown.
pub(super) fn excerpts(before: &str, after: &str) -> (Vec<Excerpt>, usize) {
    let hunks = hunks(before, after);
    let mut shown: Vec<Excerpt> = Vec::new();
    let mut group: Vec<&Hunk> = Vec::new();
    let n_shown = hunks.len().min(EXCERPTS_MAX);
    for hunk in hunks.iter().take(n_shown) {
        let gap = group.last().map(|last| before.get(last.before.end..hunk.before.start));
        let is_near = |gap: &str| gap.chars().count() <= 2 * AROUND_CHARS;
        if gap.flatten().is_some_and(|gap| !is_near(gap)) {
            shown.push(excerpt(before, after, &group));
            group.clear();
        }
        group.push(hunk);
    }
    if !group.is_empty() {
        shown.push(excerpt(before, after, &group));
    }
    (shown, hunks.len() - n_shown)
}

fn excerpt(before: &str, after: &str, hunks: &[&Hunk]) -> Excerpt {
    Excerpt {
        before: pieces(before, hunks.iter().map(|hunk| hunk.before.clone())),
        after: pieces(after, hunks.iter().map(|hunk| hunk.after.clone())),
    }
}

/// The ranges of a text that differ, what stands between them, and a little around.
fn pieces(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = None;
    for range in ranges {
        let same = text.get(at.unwrap_or(0)..range.start).unwrap_or_default();
        let lead = if at.is_none() { last_chars(same) } else { escaped(same) };
        pieces.push(Piece { text: lead, differs: false });
        let own = text.get(range.clone()).unwrap_or_default();
        pieces.push(Piece { text: shortened(own), differs: true });
        at = Some(range.end);
    }
    let rest = text.get(at.unwrap_or(0)..).unwrap_or_default();
    pieces.push(Piece { text: first_chars(rest, AROUND_CHARS), differs: false });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

fn last_chars(text: &str) -> String {
    match text.char_indices().rev().nth(AROUND_CHARS) {
        Some((at, c)) => format!("…{}", escaped(text.get(at + c.len_utf8()..).unwrap_or_default())),
        None => escaped(text),
    }
}

fn first_chars(text: &str, n: usize) -> String {
    match text.char_indices().nth(n) {
        Some((at, _)) => format!("{}…", escaped(text.get(..at).unwrap_or_default())),
        None => escaped(text),
    }
}

/// A value that may be long, its start and how long it is.
pub(super) fn shortened(text: &str) -> String {
    let n_chars = text.chars().count();
    if n_chars <= SHOWN_CHARS {
        return escaped(text);
    }
    format!("{} ({n_chars} characters)", first_chars(text, SHOWN_CHARS))
}

/// On one line and without anything that moves a cursor: as between the quotes of JSON.
fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // Quotes need no mark where none stand around.
    crate::output::clean(&inner.unwrap_or_default().replace("\\\"", "\"")).into_owned()
}

/// Where the texts differ, ascending.
fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let mut hunks = Vec::new();
    let (mut from, mut to) = (0, 0);
    loop {
        let (rest, masked) =
            (before.get(from..).unwrap_or_default(), after.get(to..).unwrap_or_default());
        let same = shared(rest, masked);
        (from, to) = (from + same, to + same);
        let (rest, masked) =
            (rest.get(same..).unwrap_or_default(), masked.get(same..).unwrap_or_default());
        if rest.is_empty() && masked.is_empty() {
            return hunks;
        }
        let (taken, put) = difference(rest, masked);
        hunks.push(Hunk { before: from..from + taken, after: to..to + put });
        (from, to) = (from + taken, to + put);
    }
}

/// The bytes that both texts begin with, and that are no part of a token in only one of them.
fn shared(before: &str, after: &str) -> usize {
    let pairs = before.char_indices().zip(after.chars());
    let same = pairs.take_while(|((_, a), b)| a == b).last();
    let len = same.map_or(0, |((at, c), _)| at + c.len_utf8());
    // "[x" and "[EMAIL]" share a bracket that is not the same one.
    let open = after.get(..len).and_then(|head| head.rfind('['));
    let reaches_over = |text: &str, at: usize| {
        text.get(at..).and_then(token_len).is_some_and(|token| at + token > len)
    };
    open.filter(|&at| reaches_over(before, at) || reaches_over(after, at)).unwrap_or(len)
}

/// How many bytes differ at the start of either text. Each is never empty on both sides.
fn difference(before: &str, after: &str) -> (usize, usize) {
    let turned = |(after, before): (usize, usize)| (before, after);
    let found = match (put_len(before), put_len(after)) {
        // Two policies put different things there.
        (was @ 1.., is @ 1..) => Some((was, is)),
        // The earlier policy put something there, the later lets it stand.
        (1.., 0) => replaced(after, before).map(turned),
        _ => replaced(before, after).or_else(|| replaced(after, before).map(turned)),
    };
    // It does not go on alike anywhere near: all that is left differs.
    found.unwrap_or((before.len(), after.len()))
}

/// The bytes of tokens, or of a mask, at the start of a text.
fn put_len(text: &str) -> usize {
    let mut len = text.bytes().take_while(|byte| *byte == b'*').count();
    while let Some(token) = text.get(len..).and_then(token_len) {
        len += token;
    }
    len
}

/// How many bytes of a value were taken at the start of a text, and how many stand in their place
/// in its masked copy.
fn replaced(text: &str, masked: &str) -> Option<(usize, usize)> {
    let put = put_len(masked);
    if masked.starts_with('*') {
        // A mask has as many characters as what it masks; what it keeps is the same in both.
        let stars = masked.bytes().take_while(|byte| *byte == b'*').count();
        let end = text.char_indices().nth(stars).map_or(text.len(), |(at, _)| at);
        return Some((end, stars));
    }
    let rest = masked.get(put..)?;
    if rest.len() <= TAIL_BYTES && !rest.contains(['[', '*']) && rest.len() < text.len() + put {
        // Nothing further was put: what is left is the end of both.
        let tail = text.strip_suffix(rest)?;
        return Some((tail.len(), put)).filter(|(taken, put)| taken + put > 0);
    }
    let mut end = rest.len().min(ANCHOR_BYTES);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let anchor = rest.get(..end)?;
    let anchor = anchor.get(..anchor.find(['[', '*']).unwrap_or(end))?;
    let taken = if anchor.is_empty() { None } else { text.find(anchor) };
    taken.map(|taken| (taken, put)).filter(|(taken, put)| taken + put > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let mark = |pieces: &[Piece]| {
            let piece =
                |p: &Piece| if p.differs { format!("<{}>", p.text) } else { p.text.clone() };
            pieces.iter().map(piece).collect::<String>()
        };
        let (excerpts, more) = excerpts(before, after);
        let mut lines: Vec<String> = excerpts
            .iter()
            .flat_map(|e| [format!("-{}", mark(&e.before)), format!("+{}", mark(&e.after))])
            .collect();
        lines.extend((more > 0).then(|| format!("{more} more")));
        lines
    }

    #[test]
    fn each_way_of_masking_is_shown_with_what_stands_around() {
        for (before, after, expected) in [
            (
                "mail jo@x.org now",
                "mail [EMAIL] now",
                ["-mail <jo@x.org> now", "+mail <[EMAIL]> now"],
            ),
            (
                "jo@x.org",
                "[EMAIL:a:kcfmaobhlhkffmbp]",
                ["-<jo@x.org>", "+<[EMAIL:a:kcfmaobhlhkffmbp]>"],
            ),
            (
                "4111111111111111.",
                "************1111.",
                ["-<411111111111>1111.", "+<************>1111."],
            ),
            ("a 123-45-6789 b", "a  b", ["-a <123-45-6789> b", "+a  b"]),
            ("a 123-45-6789", "a ", ["-a <123-45-6789>", "+a "]),
            ("[x jo@x.org", "[x [EMAIL]", ["-[x <jo@x.org>", "+[x <[EMAIL]>"]),
            ("[jo@x.org]", "[[EMAIL]]", ["-[<jo@x.org>]", "+[<[EMAIL]>]"]),
            (
                "{\"a\":1}\n\u{1b}[1m é 123-45-6789",
                "{\"a\":1}\n\u{1b}[1m é [SSN]",
                ["-{\"a\":1}\\n\\u001b[1m é <123-45-6789>", "+{\"a\":1}\\n\\u001b[1m é <[SSN]>"],
            ),
        ] {
            assert_eq!(shown(before, after), expected);
        }
        assert!(shown("same", "same").is_empty());
    }

    #[test]
    fn what_two_policies_put_is_told_apart() {
        for (before, after, expected) in [
            ("to [EMAIL] or 5", "to jo@x.org or 5", ["-to <[EMAIL]> or 5", "+to <jo@x.org> or 5"]),
            (
                "[EMAIL] or [EMAIL]",
                "[EMAIL:a:kcfmaobhlhkffmbp] or jo@x.org",
                ["-<[EMAIL]> or <[EMAIL]>", "+<[EMAIL:a:kcfmaobhlhkffmbp]> or <jo@x.org>"],
            ),
            ("a [PHONE] b", "a ********0143 b", ["-a <[PHONE]> b", "+a <********><0143> b"]),
            ("a **** b", "a ***7 b", ["-a ***<*> b", "+a ***<7> b"]),
            ("a  b", "a [SSN] b", ["-a  b", "+a <[SSN]> b"]),
        ] {
            assert_eq!(shown(before, after), expected);
        }
    }

    #[test]
    fn several_differences_are_parted_where_they_lie_apart() {
        assert_eq!(
            shown("jo@x.org, ann@x.org", "[EMAIL], [EMAIL]"),
            ["-<jo@x.org>, <ann@x.org>", "+<[EMAIL]>, <[EMAIL]>"]
        );
        let far = "word ".repeat(40);
        let lines = shown(&format!("jo@x.org {far}123-45-6789"), &format!("[EMAIL] {far}[SSN]"));
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("-<jo@x.org> word") && lines[0].ends_with('…'), "{lines:?}");
        assert!(lines[2].starts_with("-…") && lines[2].ends_with("<123-45-6789>"), "{lines:?}");
        let many = "jo@x.org ".repeat(EXCERPTS_MAX + 3);
        let lines = shown(&many, &many.replace("jo@x.org", "[EMAIL]"));
        assert_eq!(lines.last().map(String::as_str), Some("3 more"));
    }

    #[test]
    fn what_is_long_is_cut_and_what_fits_nowhere_is_told_whole() {
        let key = "k".repeat(5_000);
        let lines = shown(&format!("key {key}!"), "key [PRIVATE_KEY]!");
        assert!(lines[0].ends_with("… (5000 characters)>!") && lines[0].len() < 300, "{lines:?}");
        assert_eq!(shown("abc", "xyz"), ["-<abc>", "+<xyz>"]);
        assert_eq!(shown("", "[EMAIL]"), ["-<>", "+<[EMAIL]>"].map(|line| line.replace("<>", "")));
    }

    #[test]
    fn hunks_put_together_make_both_texts_whatever_they_are() {
        let parts = ["jo@x.org", "[", "[EMAIL]", "**", "é", " ", "123", "]", "*", "ab"];
        // Every pair of texts of up to four of these parts, drawn by a counter.
        let text = |mut n: usize| {
            let mut text = String::new();
            while n > 0 {
                text.push_str(parts[n % parts.len()]);
                n /= parts.len();
            }
            text
        };
        for n in (0..10_000).step_by(7) {
            for m in (0..10_000).step_by(211) {
                let (before, after) = (text(n), text(m));
                let (mut made, mut at) = (String::new(), 0);
                for hunk in hunks(&before, &after) {
                    made.push_str(&before[at..hunk.before.start]);
                    made.push_str(&after[hunk.after]);
                    at = hunk.before.end;
                }
                made.push_str(&before[at..]);
                assert_eq!(made, after, "from {before:?}");
            }
        }
    }
}
