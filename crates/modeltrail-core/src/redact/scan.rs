//! Goes through one text once and hands each candidate to the rules that could match there.

use super::context::{Names, Subject};
use super::digits::Run;
use super::policy::{Rule, RuleSet, Span};
use super::{card, email, phone, ssn};

/// What a rule that judges digit groups found.
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The last group that belongs to it.
    pub(super) last_group: usize,
}

/// Whether a candidate can start at a byte: a digit, an '@' or a '%'.
const CANDIDATE: [bool; 256] = {
    let mut table = [false; 256];
    let mut digit = b'0' as usize;
    while digit <= b'9' as usize {
        table[digit] = true;
        digit += 1;
    }
    table[b'@' as usize] = true;
    table[b'%' as usize] = true;
    table
};

/// Appends the spans of a text, ascending and apart from each other.
pub(super) fn scan(rules: RuleSet, text: &str, names: Option<&Names<'_>>, spans: &mut Vec<Span>) {
    if rules.is_empty() {
        return;
    }
    let subject = Subject { text, names };
    // An address cannot reach into the one before it.
    let (mut at, mut floor) = (0, 0);
    while let Some(rest) = text.as_bytes().get(at..) {
        let Some(n) = rest.iter().position(|&byte| CANDIDATE[usize::from(byte)]) else { return };
        let here = at + n;
        let sign = match rest.get(n..).unwrap_or_default() {
            [b'@', ..] => 1,
            [b'%', b'4', b'0', ..] => 3,
            [b'%', ..] => {
                at = here + 1;
                continue;
            }
            _ => {
                at = numbers(rules, &subject, here, spans);
                continue;
            }
        };
        at = here + sign;
        if rules.has(Rule::Email)
            && let Some((start, end)) = email::around(text, here, sign, floor)
        {
            push_address(start, end, spans);
            (at, floor) = (end, end);
        }
    }
}

/// Numbers that were found on the way to the '@' are parts of the address.
fn push_address(start: usize, end: usize, spans: &mut Vec<Span>) {
    while spans.last().is_some_and(|span| span.start >= start) {
        spans.pop();
    }
    let start = spans.last().map_or(start, |span| start.max(span.end));
    spans.push(Span { start, end, rule: Rule::Email });
}

/// Judges the run of digit groups that starts at `first`; where to go on.
fn numbers(rules: RuleSet, subject: &Subject<'_>, first: usize, spans: &mut Vec<Span>) -> usize {
    let (mut first, mut group) = (first, 0);
    loop {
        let run = Run::gather(subject.text, first);
        let (starts, go_on) = run.starts();
        while group < starts {
            group = match number(rules, &run, group, subject) {
                Some((hit, rule)) => {
                    spans.push(Span { start: hit.start, end: hit.end, rule });
                    hit.last_group + 1
                }
                None => group + 1,
            };
        }
        let Some(go_on) = go_on else { return run.end().max(first + 1) };
        // Groups that a hit took beyond the piece stay taken; the group before the next start is
        // read again as a neighbour only.
        group -= starts - 1;
        first = go_on;
    }
}

/// The first rule that matches from a group on. The order is that of how much a rule checks, but
/// a '+' makes a telephone number of what could be a short card number too.
fn number(
    rules: RuleSet,
    run: &Run<'_>,
    group: usize,
    subject: &Subject<'_>,
) -> Option<(Hit, Rule)> {
    type Judge = fn(&Run<'_>, usize, &Subject<'_>) -> Option<Hit>;
    let mut judges: [(Rule, Judge); 3] =
        [(Rule::CreditCard, card::at), (Rule::Ssn, ssn::at), (Rule::Phone, phone::at)];
    if group == 0 && run.plus.is_some() {
        judges.reverse();
    }
    judges
        .into_iter()
        .filter(|&(rule, _)| rules.has(rule))
        .find_map(|(rule, judge)| Some((judge(run, group, subject)?, rule)))
        .filter(|(hit, _)| !run.in_uuid(hit.start, hit.end))
}

/// The text with each span replaced.
pub(super) fn mask(text: &str, spans: &[Span]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for span in spans {
        masked.push_str(text.get(copied..span.start).unwrap_or_default());
        masked.push_str(span.rule.replacement());
        copied = span.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    masked
}

/// Merges the spans of a text with those found in its masked copy, all as ranges of the text.
/// One that reaches over a replacement takes its place.
pub(super) fn lift(spans: &[Span], more: &[Span]) -> Vec<Span> {
    let mut merged: Vec<Span> = more
        .iter()
        .map(|span| Span {
            start: unmasked(spans, span.start, false),
            end: unmasked(spans, span.end, true),
            rule: span.rule,
        })
        .collect();
    let n_new = merged.len();
    for span in spans {
        let new = merged.get(..n_new).unwrap_or_default();
        if !new.iter().any(|new| new.start <= span.start && span.end <= new.end) {
            merged.push(*span);
        }
    }
    merged.sort_by_key(|span| span.start);
    merged
}

/// The place in the text of a place in its masked copy. Inside a replacement that is the start or
/// the end of the span.
fn unmasked(spans: &[Span], at: usize, is_end: bool) -> usize {
    let (mut masked, mut original) = (0, 0);
    for span in spans {
        let here = masked + (span.start - original);
        if at <= here {
            break;
        }
        let behind = here + span.rule.replacement().len();
        if at < behind {
            return if is_end { span.end } else { span.start };
        }
        (masked, original) = (behind, span.end);
    }
    original + (at - masked)
}
