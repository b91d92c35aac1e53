//! Of `accepted`: serialising the record once, which any capture has to do in some way.

use serde_json::Value;

use crate::Result;
use crate::timing::Times;

/// Times `serde_json::to_vec` of each record.
pub(crate) fn round(records: &[Value], times: &mut Times) -> Result<()> {
    for record in records {
        let bytes = times.time(|| serde_json::to_vec(record))?;
        // The bytes are used, so that writing them cannot be left out.
        std::hint::black_box(&bytes);
    }
    Ok(())
}
