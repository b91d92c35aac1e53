//! Text that came in pieces: the chunks of a streamed answer, one after another in a list. What lies
//! across two of them is found once they are put together, and cut at the same places again.

use std::borrow::Cow;

use super::context::{Names, words};
use super::find::{Edit, Found, Kind, New};
use super::leaf::{self, Leaf, Patch};
use super::order::{Done, Match, Order, What};
use super::{own, scan};

/// A piece of streamed text.
pub(super) struct Fragment<'p> {
    pub(super) order: Order<'p>,
    /// The token it stands in.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The list whose items make the stream, counted from the outermost.
    pub(super) list: usize,
    /// Tells streams in one list apart: the names on the path, and the index beside it.
    pub(super) key: u64,
    pub(super) text: String,
}

/// A part of a piece that something across pieces takes: what stands there then, and, in the piece
/// where it starts, what matched.
struct Part {
    start: usize,
    end: usize,
    text: Cow<'static, str>,
    what: Option<What>,
}

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
pub(super) fn resolve(mut pieces: Vec<Fragment<'_>>, found: &mut Found) {
    // Stable, so that the pieces of each stream stay in order.
    pieces.sort_by_key(|piece| piece.key);
    let (mut cut, mut any): (Vec<Vec<Part>>, bool) =
        (pieces.iter().map(|_| Vec::new()).collect(), false);
    let mut first = 0;
    for stream in pieces.chunk_by(|a, b| a.key == b.key) {
        if let Some(cut) = cut.get_mut(first..first + stream.len())
            && stream.len() > 1
        {
            any |= across(stream, cut);
        }
        first += stream.len();
    }
    if !any {
        return;
    }
    for (piece, parts) in pieces.iter().zip(cut) {
        if parts.is_empty() {
            continue;
        }
        let edit = rewritten(piece, parts);
        let edits = &mut found.edits;
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
/// there was anything. What is done with it is said where it starts.
fn across(stream: &[Fragment<'_>], cut: &mut [Vec<Part>]) -> bool {
    let Some(first) = stream.first() else { return false };
    let whole: String = stream.iter().map(|piece| piece.text.as_str()).collect();
    let mut hits: Vec<Match> = Vec::new();
    scan::scan(&first.order, &whole, None, 0, &mut hits);
    own::find(&first.order, &whole, None, 0, &mut hits);
    let mut any = false;
    let mut offset = 0;
    let ranges: Vec<(usize, usize)> = stream
        .iter()
        .map(|piece| {
            let from = offset;
            offset += piece.text.len();
            (from, offset)
        })
        .collect();
    for hit in &hits {
        // Pieces without text end where they start, and are passed by.
        let first = ranges.partition_point(|(_, to)| *to <= hit.start);
        let Some((piece, (_, to))) = stream.get(first).zip(ranges.get(first)) else { continue };
        let value = whole.get(hit.start..hit.end).unwrap_or_default();
        if hit.end <= *to {
            continue;
        }
        let Done::Becomes(text) = piece.order.done(hit.what, value) else { continue };
        let mut text = Some(text);
        for ((from, to), cut) in ranges.iter().zip(&mut *cut).skip(first) {
            if *from >= hit.end {
                break;
            }
            let (start, end) = (hit.start.max(*from), hit.end.min(*to));
            if start < end {
                let what = text.is_some().then_some(hit.what);
                let text = text.take().unwrap_or_default();
                cut.push(Part { start: start - from, end: end - from, text, what });
                any = true;
            }
        }
    }
    any
}

/// The edit of a piece: its parts of what lies across go, and what it holds by itself is masked as
/// ever. What takes the place of the whole stands in the first piece alone.
fn rewritten(piece: &Fragment<'_>, parts: Vec<Part>) -> Edit {
    let mut leaf = Leaf::default();
    leaf::look_plain(&piece.order, &piece.text, None, 0, &mut leaf);
    let mut own = leaf.patches;
    own.retain(|patch| parts.iter().all(|part| patch.end <= part.start || part.end <= patch.start));
    let mut whats: Vec<_> = own.iter().map(|patch| patch.what).collect();
    for Part { start, end, text, what } in parts {
        whats.extend(what);
        let what = what.unwrap_or(What::Own(usize::MAX));
        own.push(Patch { start, end, text, what, more: Vec::new() });
    }
    own.sort_by_key(|patch| patch.start);
    let new = New::Text(leaf::apply(&piece.text, &own));
    Edit { start: piece.start, end: piece.end, new, kind: Kind::Token, whats }
}
