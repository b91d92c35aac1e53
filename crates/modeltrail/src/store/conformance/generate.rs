//! Entries whose content is known, made from a seed.

use std::ops::Range;

use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::{MacKey, hex, sha256};
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Frame, Hash, Kind, Limits, Record, Status};
use serde_json::json;

use super::super::{Batch, ProducerState, Store};
use super::{Failed, Make};

/// The producer of everything that the checks append.
pub(super) const PRODUCER: [u8; 16] = [0x5a; 16];

/// The key of `input_mac`.
const MAC_KEY: [u8; 32] = [0x21; 32];

/// Time of the first entry, microseconds since 1970 UTC.
const FIRST_TIME_US: u64 = 1_700_000_000_000_000;

/// The generator SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is small against 2^64.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % n).unwrap_or(0)
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_be_bytes();
            chunk.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
        out
    }

    /// Bytes that no compression shortens and that are no UTF-8.
    pub(super) fn noise(&mut self, n_bytes: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(n_bytes + 8);
        while out.len() < n_bytes {
            out.extend(self.next().to_be_bytes());
        }
        out.truncate(n_bytes);
        if let Some(first) = out.first_mut() {
            *first = 0xff;
        }
        out
    }

    /// One of `of`, which is not empty.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// One of `of`, or none once in `n` times.
    fn maybe(&mut self, n: usize, of: &[&str]) -> Option<String> {
        if self.once_in(n) { None } else { self.pick(of).map(|text| (*text).to_owned()) }
    }
}

/// Frames a record under random values of `rng`; nothing is masked.
pub(super) fn frame(mut record: Record, rng: &mut Rng) -> Result<Frame, Failed> {
    record.assign(|| "assigned".to_owned(), || 0);
    let context = CaptureContext {
        redactor: &Redactor::disabled(),
        mac_key: &MacKey::new(MAC_KEY),
        // More than the default, so that what a deployment may allow is tried too.
        limits: &Limits { record_bytes_max: 64 << 20, ..Limits::default() },
        mode: "conformance",
    };
    Ok(Frame::new(Redacted::new(record, &context)?, rng.bytes(), rng.bytes()))
}

/// A store beside the frames that were appended to it.
pub(super) struct Filled {
    pub(super) store: Box<dyn Store>,
    pub(super) frames: Vec<Frame>,
    pub(super) rng: Rng,
}

impl Filled {
    pub(super) fn new(make: &mut Make<'_>, seed: u64) -> Self {
        Self { store: make(), frames: Vec::new(), rng: Rng(seed) }
    }

    /// The batch that would append these frames.
    pub(super) fn batch(&self, frames: &[Frame]) -> Result<Batch, Failed> {
        let mut batch = Batch::new(self.store.tip()?);
        for (frame, seq) in frames.iter().zip(self.size()..) {
            batch.push(frame.clone(), PRODUCER, seq, FIRST_TIME_US + seq);
        }
        let next_seq = self.size() + u64::try_from(frames.len())?;
        batch.account(PRODUCER, ProducerState { next_seq, ended: false });
        Ok(batch)
    }

    /// Appends the frames; gives their indexes.
    pub(super) fn append(&mut self, frames: Vec<Frame>) -> Result<Range<u64>, Failed> {
        let first = self.size();
        let batch = self.batch(&frames)?;
        self.store.append(&batch, &self.store.tip()?.head)?;
        self.frames.extend(frames);
        Ok(first..self.size())
    }

    pub(super) fn append_records(&mut self, records: Vec<Record>) -> Result<Range<u64>, Failed> {
        let frames: Result<Vec<Frame>, Failed> =
            records.into_iter().map(|record| frame(record, &mut self.rng)).collect();
        self.append(frames?)
    }

    /// Number of entries that were appended.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.frames.len()).unwrap_or(u64::MAX)
    }
}

/// A record whose searchable content is known without reading it back.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) kind: Kind,
    pub(super) time_ns: i64,
    pub(super) request_id: Option<String>,
    pub(super) model_name: Option<String>,
    pub(super) model_version: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) subject_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) input: Option<String>,
    pub(super) label: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) latency_us: Option<u64>,
}

/// Times of which many entries have the same, with both ends of what 64 bits hold.
const TIMES_NS: [i64; 9] = [
    i64::MIN,
    -1,
    0,
    1,
    1_700_000_000_000_000_000,
    1_700_000_000_000_000_001,
    1_700_000_000_123_456_789,
    1_700_000_001_000_000_000,
    i64::MAX,
];

/// Texts that a careless comparison takes for one another.
const TEXTS: [&str; 8] = ["a", "A", "a ", "ab", "á", "a\u{301}", "%", "1"];

impl Sample {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let kinds =
            [Kind::Prediction, Kind::Prediction, Kind::Prediction, Kind::Oversight, Kind::Outcome];
        let conflict = rng.once_in(12);
        let kind = rng.pick(&kinds).copied().unwrap_or(Kind::Prediction);
        let with_model = kind == Kind::Prediction || rng.once_in(2);
        let text = |rng: &mut Rng| rng.pick(&TEXTS).map(|text| (*text).to_owned());
        let (model_name, model_version) =
            if with_model { (text(rng), text(rng)) } else { (None, None) };
        Self {
            kind: if conflict { Kind::Conflict } else { kind },
            time_ns: rng.pick(&TIMES_NS).copied().unwrap_or(0),
            request_id: Some(format!("r{}", rng.below(400))),
            model_name,
            model_version,
            user_id: rng.maybe(4, &TEXTS),
            subject_id: rng.maybe(3, &TEXTS),
            session_id: rng.maybe(3, &TEXTS),
            input: rng.maybe(5, &TEXTS).map(|text| json!({ "text": text }).to_string()),
            label: rng.maybe(4, &["fraud", "Fraud", "fraud\0", "", "1", "1.5"]),
            status: rng.pick(Status::ALL).copied(),
            latency_us: (!rng.once_in(4)).then(|| rng.next() % 1_000_000),
        }
    }

    /// A gap entry: no model, nobody, no request id.
    pub(super) fn gap(rng: &mut Rng) -> Self {
        let time_ns = rng.pick(&TIMES_NS).copied().unwrap_or(0);
        Self {
            kind: Kind::Gap,
            time_ns,
            request_id: None,
            model_name: None,
            model_version: None,
            user_id: None,
            subject_id: None,
            session_id: None,
            input: None,
            label: None,
            status: None,
            latency_us: None,
        }
    }

    pub(super) fn frame(&self, rng: &mut Rng) -> Result<Frame, Failed> {
        if self.kind == Kind::Gap {
            let gap =
                Gap { producer: hex(&[1; 16]), ranges: vec![(0, 0)], reason: GapReason::Dropped };
            let redacted = Redacted::control(&Control::Gap(gap), self.time_ns);
            return Ok(Frame::new(redacted, rng.bytes(), rng.bytes()));
        }
        let framed = frame(self.record()?, rng)?;
        Ok(if self.kind == Kind::Conflict { framed.into_conflict() } else { framed })
    }

    fn record(&self) -> Result<Record, Failed> {
        let submitted = if self.kind == Kind::Conflict { Kind::Prediction } else { self.kind };
        let mut record = match (&self.model_name, &self.model_version) {
            (Some(name), Some(version)) if submitted == Kind::Prediction => {
                Record::prediction(name, version)
            }
            (Some(name), Some(version)) => {
                Record::new(submitted).model(modeltrail_core::record::Model {
                    digest: None,
                    name: name.clone(),
                    provider: None,
                    version: version.clone(),
                })
            }
            // A conflict entry keeps what came, and what came without a model was no prediction.
            _ if self.kind == Kind::Conflict => Record::new(Kind::Outcome),
            _ => Record::new(submitted),
        };
        record = record.timestamp_ns(self.time_ns);
        if let Some(id) = &self.request_id {
            record = record.request_id(id);
        }
        if let Some(id) = &self.user_id {
            record = record.user_id(id);
        }
        if let Some(id) = &self.subject_id {
            record = record.subject_id(id);
        }
        if let Some(id) = &self.session_id {
            record = record.session_id(id);
        }
        if let Some(input) = &self.input {
            record = record.input(serde_json::from_str::<serde_json::Value>(input)?);
        }
        if let Some(label) = &self.label {
            record = record.output(json!({ "prediction": label }));
        }
        if let Some(status) = self.status {
            record = record.status(status);
        }
        if let Some(us) = self.latency_us {
            // Three digits behind the point are whole microseconds.
            record = record.latency_ms(format!("{}.{:03}", us / 1000, us % 1000).parse()?);
        }
        Ok(record)
    }

    pub(super) fn input_hash(&self) -> Option<Hash> {
        self.input.as_ref().map(|input| sha256(&[input.as_bytes()]))
    }

    pub(super) fn input_mac(&self) -> Option<Hash> {
        self.input.as_ref().map(|input| MacKey::new(MAC_KEY).mac(&[input.as_bytes()]))
    }

    /// True when the filters fit of which a store may keep short keys.
    pub(super) fn fits_keys(&self, query: &Query) -> bool {
        same_text(&query.request_id, &self.request_id)
            && same_text(&query.subject_id, &self.subject_id)
            && same_text(&query.session_id, &self.session_id)
            && (query.input_mac.is_none() || query.input_mac == self.input_mac())
    }

    /// True when all other filters fit.
    pub(super) fn fits_others(&self, query: &Query, index: u64, oldest_first: bool) -> bool {
        let place = (self.time_ns, index);
        let behind = query.after.is_none_or(|Cursor { time_ns, index }| {
            if oldest_first { place > (time_ns, index) } else { place < (time_ns, index) }
        });
        behind
            && same_text(&query.model_name, &self.model_name)
            && same_text(&query.model_version, &self.model_version)
            && same_text(&query.user_id, &self.user_id)
            && same_text(&query.label, &self.label)
            && (query.input_hash.is_none() || query.input_hash == self.input_hash())
            && (query.status.is_none() || query.status == self.status)
            && query.kind.is_none_or(|kind| kind == self.kind)
            && query.since_ns.is_none_or(|since_ns| self.time_ns >= since_ns)
            && query.until_ns.is_none_or(|until_ns| self.time_ns < until_ns)
    }
}

fn same_text(asked: &Option<String>, is: &Option<String>) -> bool {
    asked.is_none() || asked == is
}
