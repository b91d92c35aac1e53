//! Frames as a recorder makes them, for baselines that write the same bytes.

use modeltrail_core::hash::{MacKey, sha256};
use modeltrail_core::record::CaptureContext;
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Frame, Hash, Limits, PartId, Record, Redacted};

use crate::Result;

/// Makes frames under random secrets, as a ledger with the default policy would.
pub(crate) struct Framer {
    redactor: Redactor,
    mac_key: MacKey,
    limits: Limits,
}

impl Framer {
    pub(crate) fn new() -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let redactor = Redactor::default();
        Ok(Self { redactor, mac_key: MacKey::new(key), limits: Limits::default() })
    }

    fn redacted(&self, line: &str) -> Result<Redacted<Record>> {
        let record = Record::from_json(line.as_bytes(), &self.limits)?;
        let context = CaptureContext {
            redactor: &self.redactor,
            mac_key: &self.mac_key,
            limits: &self.limits,
            mode: "api",
        };
        Ok(Redacted::new(record, &context)?)
    }

    /// The frame of a line.
    pub(crate) fn frame(&self, line: &str) -> Result<Vec<u8>> {
        let (mut record_id, mut secret) = ([0; 16], [0; 32]);
        getrandom::fill(&mut record_id)?;
        getrandom::fill(&mut secret)?;
        Ok(Frame::new(self.redacted(line)?, record_id, secret).encode())
    }

    /// The input hash of a line, as lookups know it.
    pub(crate) fn input_hash(&self, line: &str) -> Result<Option<Hash>> {
        let redacted = self.redacted(line)?;
        let input = redacted.parts().iter().find(|part| part.id == PartId::Input);
        Ok(input.map(|part| sha256(&[&part.bytes])))
    }
}
