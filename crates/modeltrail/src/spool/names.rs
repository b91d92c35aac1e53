//! File names in a spool directory. They are for people and for finding things quickly; what a
//! file is, its contents decide.

use std::fmt::Write as _;

use super::ProducerId;

/// Lock file of the sequencer; never removed.
pub(crate) const SEQUENCER_LOCK: &str = "sequencer.lock";

/// Directory for damaged spans and files.
pub(crate) const QUARANTINE: &str = "quarantine";

/// What a name says about its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// `seg-<producer>-<number>`.
    Segment(ProducerId, u64),
    /// `free-<random>`.
    Free,
    /// `producer-<producer>.lock`.
    Lock(ProducerId),
    /// Anything else.
    Other,
}

impl Name {
    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Self {
        Self::parse_known(name).unwrap_or(Self::Other)
    }

    fn parse_known(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix("seg-") {
            let (producer, number) = rest.split_once('-')?;
            return Some(Self::Segment(unhex(producer)?, u64::from_str_radix(number, 16).ok()?));
        }
        if name.starts_with("free-") {
            return Some(Self::Free);
        }
        let producer = name.strip_prefix("producer-")?.strip_suffix(".lock")?;
        Some(Self::Lock(unhex(producer)?))
    }

    /// Whether such a file's length counts towards the limit of the directory.
    pub(crate) fn holds_frames(self) -> bool {
        matches!(self, Self::Segment(..) | Self::Free)
    }
}

/// Name of a producer's segment.
pub(crate) fn segment(producer: &ProducerId, segment_no: u64) -> String {
    format!("seg-{}-{segment_no:016x}", hex(producer))
}

/// Name of a free file.
pub(crate) fn free(random: [u8; 8]) -> String {
    format!("free-{}", hex(&random))
}

/// Name of a producer's lock file.
pub(crate) fn lock(producer: &ProducerId) -> String {
    format!("producer-{}.lock", hex(producer))
}

/// Name of a lock file before it is locked.
pub(crate) fn new_lock(producer: &ProducerId) -> String {
    format!("producer-{}.new", hex(producer))
}

/// Whether a name is one of [`new_lock`].
pub(crate) fn is_new_lock(name: &str) -> bool {
    name.starts_with("producer-") && name.ends_with(".new")
}

/// Name of a producer's ack file.
pub(crate) fn ack(producer: &ProducerId) -> String {
    format!("producer-{}.ack", hex(producer))
}

/// Name of a damaged span's copy in quarantine. The tag tells uses of a recycled file apart.
pub(crate) fn span(producer: &ProducerId, segment_no: u64, tag: &[u8; 16], offset: u64) -> String {
    format!("span-{}-{segment_no:016x}-{}-{offset:08x}", hex(producer), hex(tag))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn unhex(text: &str) -> Option<ProducerId> {
    let mut id = ProducerId::default();
    if text.len() != 2 * id.len() || !text.is_ascii() {
        return None;
    }
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(id)
}
