//! Goes through one text once and hands each candidate to the rules that could match there.

use super::context::{Names, Subject};
use super::digits::Run;
use super::order::{Match, Order, What};
use super::rule::{Rule, RuleSet};
use super::{assign, card, dates, email, ids, network, phone, secret, ssn, steps};

/// What a rule that judges digit groups found.
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The last group that belongs to it.
    pub(super) last_group: usize,
}

/// Bytes at which a candidate can be told: what lies between them is never looked at twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// None.
    Go,
    Digit,
    At,
    Percent,
    Colon,
    Equals,
    /// Between the arguments of a call, behind a quote.
    Comma,
    /// '-' or '_', which tokens of services have.
    Join,
    /// 'w', as in "password" and "pwd"; 'I', as in `AKIA`.
    Letter,
}

const STOPS: [Stop; 256] = {
    let mut table = [Stop::Go; 256];
    let mut digit = b'0' as usize;
    while digit <= b'9' as usize {
        table[digit] = Stop::Digit;
        digit += 1;
    }
    table[b'@' as usize] = Stop::At;
    table[b'%' as usize] = Stop::Percent;
    table[b':' as usize] = Stop::Colon;
    table[b'=' as usize] = Stop::Equals;
    table[b'>' as usize] = Stop::Equals;
    table[b',' as usize] = Stop::Comma;
    table[b'-' as usize] = Stop::Join;
    table[b'_' as usize] = Stop::Join;
    table[b'w' as usize] = Stop::Letter;
    table[b'W' as usize] = Stop::Letter;
    table[b'I' as usize] = Stop::Letter;
    table
};

/// The same where only [`Rule::BASIC`] is looked for.
const BASIC_STOPS: [Stop; 256] = {
    let mut table = STOPS;
    let mut byte = 0;
    while byte < 256 {
        if !matches!(table[byte], Stop::Digit | Stop::At | Stop::Percent) {
            table[byte] = Stop::Go;
        }
        byte += 1;
    }
    table
};

/// A text on the way through.
pub(super) struct Scan<'s, 't> {
    pub(super) order: &'t Order<'t>,
    /// The rules of the order.
    pub(super) rules: RuleSet,
    pub(super) subject: Subject<'t>,
    pub(super) bytes: &'t [u8],
    spans: &'s mut Vec<Match>,
    /// Nothing reaches back behind this.
    pub(super) floor: usize,
    /// How deep in encodings the text lies.
    pub(super) depth: usize,
    /// Ends of what was judged, so that each byte is gathered once: the last word of letters and
    /// digits, the last token, the last run of base64, the last run of hexadecimal digits and
    /// colons.
    pub(super) word_end: usize,
    pub(super) token_end: usize,
    pub(super) base64_end: usize,
    pub(super) colons_end: usize,
    /// The end of the last line of cookies.
    pub(super) cookies_end: usize,
}

/// Appends the spans of a text, ascending and apart from each other.
pub(super) fn scan(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    spans: &mut Vec<Match>,
) {
    if order.rules.is_empty() {
        return;
    }
    let mut scan = Scan {
        order,
        rules: order.rules,
        subject: Subject { text, names },
        bytes: text.as_bytes(),
        spans,
        floor: 0,
        depth,
        word_end: 0,
        token_end: 0,
        base64_end: 0,
        colons_end: 0,
        cookies_end: 0,
    };
    scan.run();
}

impl Scan<'_, '_> {
    fn run(&mut self) {
        let stops = if self.rules.is_beyond_basic() { &STOPS } else { &BASIC_STOPS };
        let stop_of = |byte: u8| stops.get(usize::from(byte)).copied().unwrap_or(Stop::Go);
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..) {
            let stop = rest.iter().position(|&byte| stop_of(byte) != Stop::Go);
            let Some(n) = stop else { break };
            steps::add(n + 1);
            let here = at + n;
            let byte = rest.get(n).copied().unwrap_or_default();
            let next = match stop_of(byte) {
                Stop::Go => None,
                Stop::Digit => Some(self.digit(here)),
                Stop::At => self.email(here, 1),
                Stop::Percent => self.percent(here),
                Stop::Colon => network::colon(self, here).or_else(|| assign::at(self, here)),
                Stop::Equals => assign::at(self, here),
                Stop::Comma if matches!(self.before(here), Some(b'"' | b'\'')) => {
                    assign::at(self, here)
                }
                Stop::Comma => None,
                Stop::Join => self.join(here),
                Stop::Letter => self.letter(here),
            };
            at = next.unwrap_or(0).max(here + 1);
        }
    }

    /// Whether the byte at `at` is this one.
    pub(super) fn byte_is(&self, at: usize, byte: u8) -> bool {
        self.bytes.get(at) == Some(&byte)
    }

    /// The byte before `at`.
    pub(super) fn before(&self, at: usize) -> Option<u8> {
        self.bytes.get(at.checked_sub(1)?).copied()
    }

    /// Where the bytes end that start at `at` and are in a set.
    pub(super) fn end_of(&self, at: usize, set: fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let n = rest.iter().position(|&byte| !set(byte)).unwrap_or(rest.len());
        steps::add(n);
        at + n
    }

    /// Where the bytes start that end at `at` and are in a set, at `floor` at the earliest.
    pub(super) fn start_of(&self, at: usize, floor: usize, set: fn(u8) -> bool) -> usize {
        let head = self.bytes.get(floor..at).unwrap_or_default();
        let n = head.iter().rev().position(|&byte| !set(byte)).unwrap_or(head.len());
        steps::add(n);
        at - n
    }

    /// Adds a span, if its rule is on, and says where to go on. Spans that were found within it on
    /// the way are dropped.
    pub(super) fn push(&mut self, start: usize, end: usize, rule: Rule) -> Option<usize> {
        if !self.rules.has(rule) || start >= end {
            return None;
        }
        self.push_any(start, end, What::Rule(rule))
    }

    /// The same for anything that matched within an encoding.
    pub(super) fn push_any(&mut self, start: usize, end: usize, what: What) -> Option<usize> {
        while self.spans.last().is_some_and(|span| span.start >= start) {
            self.spans.pop();
        }
        let start = self.spans.last().map_or(start, |span| start.max(span.end));
        self.spans.push(Match { start, end, what });
        self.floor = end;
        Some(end)
    }

    fn email(&mut self, here: usize, sign: usize) -> Option<usize> {
        if !self.rules.has(Rule::Email) {
            return None;
        }
        let (start, end) = email::around(self.subject.text, here, sign, self.floor)?;
        self.push(start, end, Rule::Email)
    }

    /// `%40` is an '@' in a URL.
    fn percent(&mut self, here: usize) -> Option<usize> {
        let sign = self.bytes.get(here..)?.starts_with(b"%40");
        sign.then(|| self.email(here, 3).unwrap_or(here + 3))
    }

    fn digit(&mut self, here: usize) -> usize {
        if let Some(end) = self.stamp(here) {
            return end;
        }
        let beyond_basic = self.rules.is_beyond_basic();
        if beyond_basic
            && here >= self.token_end
            && let Some(end) = secret::token(self, here)
        {
            return end;
        }
        if beyond_basic
            && here >= self.word_end
            && let Some(end) = ids::word(self, here)
        {
            return end;
        }
        // Digits in front of a letter are the start or the inside of a code. (An 'x' can announce
        // the extension of a telephone.)
        let end = self.end_of(here, |b| b.is_ascii_digit());
        let next = self.bytes.get(end).copied().unwrap_or_default();
        if next.is_ascii_alphabetic() && !matches!(next, b'x' | b'X') {
            return end;
        }
        self.numbers(here)
    }

    /// Passes over a time; of its date words may say that somebody was born then.
    fn stamp(&mut self, here: usize) -> Option<usize> {
        let joined = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'+');
        let end = dates::stamp(self.bytes, here)?;
        if self.before(here).is_some_and(joined) {
            return None;
        }
        steps::add(end - here);
        self.word_end = self.word_end.max(end);
        ids::birth(self, here).or(Some(end))
    }

    fn join(&mut self, here: usize) -> Option<usize> {
        if self.byte_is(here, b'-')
            && self.byte_is(here + 1, b'-')
            && let Some(end) = secret::pem(self, here)
        {
            return Some(end);
        }
        if here >= self.token_end { secret::token(self, here) } else { None }
    }

    fn letter(&mut self, here: usize) -> Option<usize> {
        if !self.byte_is(here, b'I') {
            return assign::spoken(self, here);
        }
        let prefix = self.bytes.get(here.checked_sub(2)?..here + 2)?;
        let aws = matches!(prefix, b"AKIA" | b"ASIA" | b"ABIA");
        if aws && here >= self.token_end { secret::token(self, here) } else { None }
    }

    /// Judges the run of digit groups that starts at `first`; where to go on.
    fn numbers(&mut self, first: usize) -> usize {
        let (mut first, mut group) = (first, 0);
        loop {
            let run = Run::gather(self.subject.text, first);
            steps::add(run.end().saturating_sub(first));
            let (starts, go_on) = run.starts();
            while group < starts {
                // What is told by words, as an address or a date is, can stand behind a number.
                let start = run.group(group).map_or(first, |group| group.start);
                if group > 0
                    && self.rules.is_beyond_basic()
                    && start >= self.word_end
                    && let Some(end) = ids::word(self, start)
                {
                    while run.group(group).is_some_and(|group| group.start < end) {
                        group += 1;
                    }
                    if group >= starts {
                        return end;
                    }
                    continue;
                }
                group = match self.number(&run, group) {
                    Some((hit, rule)) => {
                        self.push(hit.start, hit.end, rule);
                        hit.last_group + 1
                    }
                    None => group + 1,
                };
            }
            let Some(go_on) = go_on else { return run.end().max(first + 1) };
            // Groups that a hit took beyond the piece stay taken; the group before the next start
            // is read again as a neighbour only.
            group -= starts - 1;
            first = go_on;
        }
    }

    /// The first rule that matches from a group on. The order is that of how much a rule checks,
    /// but a '+' makes a telephone number of what could be a short card number too.
    fn number(&self, run: &Run<'_>, group: usize) -> Option<(Hit, Rule)> {
        let subject = &self.subject;
        let plus = group == 0 && run.plus.is_some();
        let phone = || Some((phone::at(run, group, subject)?, Rule::Phone));
        let card = || Some((card::at(run, group, subject)?, Rule::CreditCard));
        let ssn = || Some((ssn::at(run, group, subject)?, Rule::Ssn));
        let on = |found: &(Hit, Rule)| self.rules.has(found.1);
        let more = self.rules.is_beyond_basic();
        let first = if plus { phone().filter(on) } else { None };
        first
            .or_else(|| card().filter(on))
            .or_else(|| ssn().filter(on))
            .or_else(|| if more { ids::digits(self, run, group) } else { None })
            .or_else(|| if plus { None } else { phone().filter(on) })
            .or_else(|| if more { ids::spoken_of(self, run, group) } else { None })
            .filter(|(hit, _)| !run.in_uuid(hit.start, hit.end))
    }
}
