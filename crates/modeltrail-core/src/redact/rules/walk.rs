//! Rules by place, asked while a document is walked: an automaton over the steps of all paths,
//! whose states are bits, and a table of names.
//!
//! A step `n` waits for one child. When a child comes that its segment takes, the step after it
//! waits at that child's children, or, if it was the last one, its rule holds there and for all
//! beneath. A step behind `..` goes on waiting at every child.

use super::key::Words;
use super::path::{Child, JsonPath, Segment};
use super::place::Place;

/// Most steps of all paths of a policy together.
pub(super) const STEPS_MAX: usize = 1024;
/// Most rules by place of a policy.
pub(super) const RULES_MAX: usize = 256;

/// Rules, by their number.
pub(super) type RuleBits = Bits<{ RULES_MAX / 64 }>;
/// Steps, by their number.
type StepBits = Bits<{ STEPS_MAX / 64 }>;

/// A set of small numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bits<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    pub(super) fn add(&mut self, n: usize) {
        if let Some(word) = self.0.get_mut(n / 64) {
            *word |= 1 << (n % 64);
        }
    }

    pub(super) fn has(&self, n: usize) -> bool {
        self.0.get(n / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The numbers in it, ascending.
    pub(super) fn iter(self) -> impl DoubleEndedIterator<Item = usize> {
        let words = self.0.into_iter().enumerate().filter(|(_, word)| *word != 0);
        words.flat_map(|(n, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| n * 64 + bit)
        })
    }
}

/// One segment of a path, waiting.
#[derive(Clone, Debug)]
struct Step {
    segment: Segment,
    /// The rule that holds when it was the last of its path.
    done: Option<usize>,
}

/// All places of a policy, ready to be asked.
#[derive(Clone, Default, Debug)]
pub(super) struct Places {
    steps: Vec<Step>,
    /// The first step of each path with its rule.
    starts: Vec<(usize, usize)>,
    /// Rules that hold from the root on: `$`, or neither key nor path.
    everywhere: RuleBits,
    /// Keys with their rules, sorted.
    keys: Vec<(String, usize)>,
}

impl Places {
    /// The places of rules, numbered in order.
    pub(super) fn new<'p>(places: impl Iterator<Item = &'p Place>) -> Self {
        let mut all = Self::default();
        for (rule, place) in places.enumerate() {
            if place.is_everywhere() {
                all.everywhere.add(rule);
            }
            all.keys.extend(place.keys.iter().map(|key| (key.clone(), rule)));
            for path in &place.paths {
                all.add_path(path, rule);
            }
        }
        all.keys.sort();
        all
    }

    fn add_path(&mut self, path: &JsonPath, rule: usize) {
        let Some(last) = path.segments.len().checked_sub(1) else {
            self.everywhere.add(rule);
            return;
        };
        self.starts.push((self.steps.len(), rule));
        for (n, segment) in path.segments.iter().enumerate() {
            let done = (n == last).then_some(rule);
            self.steps.push(Step { segment: segment.clone(), done });
        }
    }

    pub(super) fn n_steps(&self) -> usize {
        self.steps.len()
    }
}

/// What holds at one value of a document.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Frame {
    /// Steps that wait for a child of it.
    waiting: StepBits,
    /// Rules that hold here and beneath.
    rules: RuleBits,
}

impl Frame {
    /// The rules that hold here.
    pub(super) fn rules(&self) -> RuleBits {
        self.rules
    }
}

impl Places {
    /// What holds at the root, of the rules that are asked at all.
    pub(super) fn root(&self, active: RuleBits) -> Frame {
        let mut root = Frame::default();
        for rule in active.iter().filter(|rule| self.everywhere.has(*rule)) {
            root.rules.add(rule);
        }
        for &(step, rule) in &self.starts {
            if active.has(rule) {
                root.waiting.add(step);
            }
        }
        root
    }

    /// What holds at a child of the value at which `above` does.
    pub(super) fn child(&self, above: &Frame, active: RuleBits, child: Child<'_>) -> Frame {
        let mut frame = Frame { waiting: StepBits::default(), rules: above.rules };
        for n in above.waiting.iter() {
            let Some(step) = self.steps.get(n) else { continue };
            if step.segment.deep {
                frame.waiting.add(n);
            }
            if step.segment.selectors.iter().any(|selector| selector.takes(child)) {
                match step.done {
                    Some(rule) => frame.rules.add(rule),
                    None => frame.waiting.add(n + 1),
                }
            }
        }
        if let Child::Name(name) = child
            && !self.keys.is_empty()
        {
            let mut words = Words::default();
            words.read(name);
            words.find(&self.keys, |rule| {
                if active.has(*rule) {
                    frame.rules.add(*rule);
                }
            });
        }
        frame
    }
}
