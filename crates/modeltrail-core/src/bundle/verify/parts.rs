//! A line against its leaf: commitments, disclosed parts, and what must be disclosed.

use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::finding::Findings;
use crate::bundle::header::{HeaderView, is_json};
use crate::bundle::line::{EntryLine, LinePart};
use crate::bundle::path::BundlePath;
use crate::bundle::view::part_name;
use crate::code::{Encoding, PartId};
use crate::commitment::coded_part;
use crate::leaf::Leaf;

/// Where a line stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) file: BundlePath,
    pub(super) line: u64,
    pub(super) index: u64,
}

impl Place {
    pub(super) fn finding(self, kind: Kind, detail: impl Into<String>) -> BundleFinding {
        BundleFinding::file(kind, self.file, detail).line(self.line).at(self.index)
    }
}

/// What a line is good for.
pub(super) struct Judged {
    /// Commitments and parts are those of the leaf, so that their content can be relied on.
    pub(super) is_whole: bool,
    /// Parts that must be disclosed and are not: erased, or left out.
    pub(super) absent: Vec<u16>,
    /// Disclosed parts, and their bytes.
    pub(super) n_parts: u64,
    pub(super) part_bytes: u64,
}

const HEADER: u16 = PartId::Header.code();
const CONTROL: u16 = PartId::Control.code();

/// Judges a line. `disclosed` are the codes of parts that are disclosed of this entry beside header and
/// control.
pub(super) fn judge(
    place: Place,
    leaf: &Leaf,
    line: &EntryLine<'_>,
    disclosed: &[u16],
    findings: &mut Findings,
) -> Judged {
    let mut judged = Judged { is_whole: true, absent: Vec::new(), n_parts: 0, part_bytes: 0 };
    if line.body() != leaf.body {
        let detail = "the commitments are not those that the leaf commits to";
        findings.push(place.finding(Kind::ChangedCommitment, detail));
        judged.is_whole = false;
        return judged;
    }
    for part in &line.parts {
        judge_part(place, line, part, disclosed, findings, &mut judged);
    }
    for (part, _) in &line.commitments {
        let must = is_always(*part) || disclosed.contains(part);
        if !must || line.part(*part).is_some() {
            continue;
        }
        if is_always(*part) {
            let detail = format!("the part `{}` is not disclosed", part_name(*part));
            findings.push(place.finding(Kind::MissingPart, detail));
            judged.is_whole = false;
        } else {
            judged.absent.push(*part);
        }
    }
    judged
}

const fn is_always(part: u16) -> bool {
    matches!(part, HEADER | CONTROL)
}

fn judge_part(
    place: Place,
    line: &EntryLine<'_>,
    part: &LinePart<'_>,
    disclosed: &[u16],
    findings: &mut Findings,
    judged: &mut Judged,
) {
    let LinePart { part: code, encoding, salt, bytes } = part;
    let name = part_name(*code);
    if line.commitment(*code) != Some(&coded_part(salt, *code, *encoding, bytes)) {
        let detail = format!("the part `{name}` is not the one that was committed to");
        findings.push(place.finding(Kind::ChangedPart, detail));
        judged.is_whole = false;
        return;
    }
    judged.n_parts += 1;
    let n_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    judged.part_bytes = judged.part_bytes.saturating_add(n_bytes);
    if !is_always(*code) && !disclosed.contains(code) {
        let detail = format!("the part `{name}` is not to be disclosed of this entry");
        findings.push(place.finding(Kind::UnduePart, detail));
    }
    if is_no_json(part) {
        let detail = format!("the part `{name}` is labelled JSON and is none");
        findings.push(place.finding(Kind::NotJson, detail));
    }
}

/// The header of a line whose parts are those of the leaf; a finding where it is not as it must be.
pub(super) fn header<'a>(
    place: Place,
    line: &'a EntryLine<'_>,
    findings: &mut Findings,
) -> HeaderView<'a> {
    let part = line.part(HEADER);
    let view = part.map(|part| HeaderView::read(part.encoding, &part.bytes)).unwrap_or_default();
    let is_said = part.is_some_and(|part| is_no_json(part));
    if !view.is_regular && !is_said {
        let detail = "the header is no object with `kind` and a time in `occurred_at`";
        findings.push(place.finding(Kind::NotJson, detail));
    }
    view
}

/// Whether a part is labelled JSON and is none.
fn is_no_json(part: &LinePart<'_>) -> bool {
    part.encoding == Encoding::Json.code() && !is_json(part.encoding, &part.bytes)
}
