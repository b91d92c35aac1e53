//! The counter of one producer: a file with one line, the number of requests and whether there were calls of the
//! application's own beside them.

use std::fs::{File, OpenOptions, create_dir_all};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use modeltrail_core::hash::{hex, unhex};

use crate::small_file;

/// What stands behind the number; both are as long.
const CALLS: &str = "calls";
const NO_CALLS: &str = "-----";

/// Longest counter: twenty digits and a line's end, with room for an editor's.
const COUNTER_BYTES_MAX: usize = 64;

/// The counter of one producer.
#[derive(Debug)]
pub(crate) struct Counter {
    path: PathBuf,
    has_calls: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    n_requests: u64,
    /// `None` before the first request, so that who captures nothing leaves no file.
    file: Option<File>,
}

impl Counter {
    pub(crate) fn new(dir: &Path, producer: &[u8; 16]) -> Self {
        Self {
            path: dir.join(hex(producer)),
            has_calls: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Counts a request. The number goes to the kernel at once, which keeps it when this process is killed; a disk
    /// is not waited for, so that after a power loss the count may be short.
    pub(crate) fn count(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.n_requests += 1;
        if let Err(error) = self.write(&mut state)
            && state.n_requests.is_power_of_two()
        {
            // Requests go on without it: `doctor` then says that more was recorded than counted.
            tracing::warn!(%error, path = %self.path.display(), "requests cannot be counted");
        }
    }

    /// Notes that this producer also records by calls of the application's own, so that its entries are told apart
    /// before they are held against the number of requests.
    pub(crate) fn called(&self) {
        if self.has_calls.load(Ordering::Relaxed) || self.has_calls.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.file.is_some()
            && let Err(error) = self.write(&mut state)
        {
            tracing::warn!(%error, path = %self.path.display(), "requests cannot be counted");
        }
    }

    fn write(&self, state: &mut State) -> std::io::Result<()> {
        let calls = if self.has_calls.load(Ordering::Relaxed) { CALLS } else { NO_CALLS };
        let text = format!("{:020} {calls}\n", state.n_requests);
        if state.file.is_none() {
            if let Some(dir) = self.path.parent() {
                create_dir_all(dir)?;
            }
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path);
            state.file = Some(file?);
        }
        state.file.as_ref().map_or(Ok(()), |file| file.write_all_at(text.as_bytes(), 0))
    }
}

/// A counter as it stands in its file.
pub(super) struct Counted {
    pub(super) producer: [u8; 16],
    pub(super) n_requests: u64,
    pub(super) has_calls: bool,
}

/// The counters in a directory; files that are none are passed over.
pub(super) fn read_all(dir: &Path) -> std::io::Result<Vec<Counted>> {
    let listed = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut counters = Vec::new();
    for file in listed {
        let file = file?;
        let name = file.file_name();
        let producer = name.to_str().and_then(unhex).and_then(|bytes| bytes.try_into().ok());
        let Some(producer) = producer else { continue };
        let text = small_file::read_text(&file.path(), COUNTER_BYTES_MAX)?;
        let (n, calls) = text.trim().split_once(' ').unwrap_or((text.trim(), CALLS));
        let Ok(n_requests) = n.parse() else { continue };
        counters.push(Counted { producer, n_requests, has_calls: calls == CALLS });
    }
    counters.sort_unstable_by_key(|counted| counted.producer);
    Ok(counters)
}
