//! The native module of the Python package `modeltrail`: Python's values become JSON text, and records go into a
//! [`modeltrail::Recorder`]. What can be written in Python as well is in the package's own modules.

mod capture;
mod engines;
mod entry;
mod errors;
mod json;
mod logger;
mod record;
mod reports;
mod times;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::capture::{Capture, Exchange};
    #[pymodule_export]
    use super::engines::{close_all, default_url};
    #[pymodule_export]
    use super::entry::AuditRecord;
    #[pymodule_export]
    use super::json::{Frozen, freeze, freeze_bytes, freeze_json, to_json};
    #[pymodule_export]
    use super::logger::{AuditLogger, after_fork};
    #[pymodule_export]
    use super::reports::redact_pii;
}

/// Records are made by one thread and let go of by another, which is where the system's allocator takes a lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
