//! The limits of a record, each with its reason.

/// Longest request, user, subject, session and trace id, and longest client address, in bytes.
/// The seed document has 36 and 100; 128 holds a URN or an e-mail address.
pub const ID_BYTES_MAX: usize = 128;

/// Longest model name, version, digest and provider, in bytes: they stand in every header and in
/// the index terms, where a runaway value would be paid for with every record.
pub const NAME_BYTES_MAX: usize = 256;

/// Most links of one record: enough for a decision on a page of predictions.
pub const N_LINKS_MAX: usize = 256;

/// Limits that a deployment may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Largest submitted record and largest canonical form of its parts together. The default of
    /// 16 MiB holds a long-context prompt with images in base64, and a handful of them in memory.
    pub record_bytes_max: usize,
    /// Deepest nesting of arrays and objects. 128 is what `serde_json` and most JSON readers take,
    /// so that what is stored can be read by others.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes_max: 16 * 1024 * 1024, depth_max: 128 }
    }
}
