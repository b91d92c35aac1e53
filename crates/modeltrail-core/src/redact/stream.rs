//! Text that came in pieces: the chunks of a streamed answer, one after another in a list. What lies
//! across two of them is found once they are put together, and cut at the same places again.

use super::context::{Names, words};
use super::find::Edit;
use super::leaf;
use super::policy::Span;
use super::rule::RuleSet;
use super::scan;

/// A piece of streamed text.
pub(super) struct Fragment {
    /// The token it stands in.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The list whose items make the stream, counted from the outermost.
    pub(super) list: usize,
    /// Tells streams in one list apart: the names on the path, and the index beside it.
    pub(super) key: u64,
    pub(super) text: String,
}

/// A part of a piece that something across pieces takes, and whether that starts there.
type Part = (Span, bool);

/// Words in the name of what holds pieces.
const STREAMS: &[&str] =
    &["chunk", "chunks", "delta", "deltas", "fragments", "sse", "stream", "streaming"];

/// Members that hold a piece: of OpenAI's and Anthropic's events and of those like them.
const PIECES: &[&str] = &[
    "arguments",
    "content",
    "data",
    "output",
    "partial_json",
    "reasoning_content",
    "response",
    "text",
    "thinking",
    "token",
    "value",
];

/// The key of the stream that a value under these names belongs to, if it is a piece of one.
pub(super) fn key(names: &Names<'_>) -> Option<u64> {
    let own = names.name();
    if PIECES.binary_search(&own).is_err() && !is_stream(own) {
        return None;
    }
    let mut streamed = false;
    // FNV-1a, over the names from the inside out.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = Some(names);
    while let Some(names) = at {
        streamed = streamed || is_stream(names.name());
        for byte in names.name().bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        at = names.outer();
    }
    streamed.then_some(hash)
}

fn is_stream(name: &str) -> bool {
    words(name).last().is_some_and(|word| STREAMS.binary_search(&word).is_ok())
}

/// The key of a stream whose items have this index beside them.
pub(super) const fn with_index(key: u64, index: u64) -> u64 {
    key ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Looks through the streams of a list, whose pieces are in order, and changes the edits, ascending
/// by offset, of those that hold a part of something.
pub(super) fn resolve(rules: RuleSet, mut pieces: Vec<Fragment>, edits: &mut Vec<Edit>) {
    // Stable, so that the pieces of each stream stay in order.
    pieces.sort_by_key(|piece| piece.key);
    let (mut cut, mut found): (Vec<Vec<Part>>, bool) =
        (pieces.iter().map(|_| Vec::new()).collect(), false);
    let mut first = 0;
    for stream in pieces.chunk_by(|a, b| a.key == b.key) {
        if let Some(cut) = cut.get_mut(first..first + stream.len())
            && stream.len() > 1
        {
            found |= across(rules, stream, cut);
        }
        first += stream.len();
    }
    if !found {
        return;
    }
    for (piece, parts) in pieces.iter().zip(cut) {
        if parts.is_empty() {
            continue;
        }
        let edit = rewritten(rules, piece, &parts);
        match edits.binary_search_by_key(&piece.start, |edit| edit.start) {
            Ok(at) => {
                if let Some(slot) = edits.get_mut(at) {
                    *slot = edit;
                }
            }
            Err(at) => edits.insert(at, edit),
        }
    }
}

/// Finds what lies across pieces of one stream and says which part of each piece it takes; whether
/// there was anything.
fn across(rules: RuleSet, stream: &[Fragment], cut: &mut [Vec<Part>]) -> bool {
    let whole: String = stream.iter().map(|piece| piece.text.as_str()).collect();
    let mut spans = Vec::new();
    scan::scan(rules, &whole, None, 0, &mut spans);
    let (mut offset, mut any) = (0, false);
    let mut next = spans.iter().peekable();
    for (piece, cut) in stream.iter().zip(cut) {
        let (from, to) = (offset, offset + piece.text.len());
        offset = to;
        while next.peek().is_some_and(|span| span.end <= from) {
            next.next();
        }
        for span in next.clone().take_while(|span| span.start < to) {
            let inside = span.start >= from && span.end <= to;
            if !inside && from < to {
                let (start, end) = (span.start.max(from) - from, span.end.min(to) - from);
                cut.push((Span { start, end, rule: span.rule }, span.start >= from));
                any = true;
            }
        }
    }
    any
}

/// The edit of a piece: its parts of what lies across go, and what it holds by itself is masked as
/// ever. The name of the rule stands in the first piece alone.
fn rewritten(rules: RuleSet, piece: &Fragment, parts: &[Part]) -> Edit {
    let mut own = Vec::new();
    leaf::inner(rules, &piece.text, None, 0, &mut own);
    own.retain(|patch| {
        parts.iter().all(|(part, _)| patch.end <= part.start || part.end <= patch.start)
    });
    let mut matched: Vec<_> = own.iter().map(|patch| patch.rule).collect();
    for (part, starts) in parts {
        let text = if *starts { part.rule.replacement() } else { "" };
        if *starts {
            matched.push(part.rule);
        }
        own.push(leaf::Patch::with(part, text));
    }
    own.sort_by_key(|patch| patch.start);
    let text = leaf::apply(&piece.text, &own);
    Edit { start: piece.start, end: piece.end, text, is_name: false, rules: matched }
}
