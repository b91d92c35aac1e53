//! How many requests came to a process, counted before anything of them is captured: a file for each producer
//! with one number, so that what was recorded can be held against it even where the process was killed.

use std::fs::{File, OpenOptions, create_dir_all};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use modeltrail_core::hash::hex;

/// The counter of one producer.
#[derive(Debug)]
pub(super) struct Coverage {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    n_requests: u64,
    /// `None` before the first request, so that who captures nothing leaves no file.
    file: Option<File>,
}

impl Coverage {
    pub(super) fn new(dir: &Path, producer: &[u8; 16]) -> Self {
        Self { path: dir.join(hex(producer)), state: Mutex::default() }
    }

    /// Counts a request. The number goes to the kernel at once, which keeps it when this process is killed; a disk
    /// is not waited for, so that after a power loss the count may be short.
    pub(super) fn count(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.n_requests += 1;
        let text = format!("{:020}\n", state.n_requests);
        if let Err(error) = self.write(&mut state, &text)
            && state.n_requests.is_power_of_two()
        {
            // Requests go on without it: `doctor` then says that more was recorded than counted.
            tracing::warn!(%error, path = %self.path.display(), "requests cannot be counted");
        }
    }

    fn write(&self, state: &mut State, text: &str) -> std::io::Result<()> {
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
