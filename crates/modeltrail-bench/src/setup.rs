//! Where and how large the benches run.

use std::path::{Path, PathBuf};

use modeltrail::{Ledger, RecorderOptions};
use tempfile::TempDir;

use crate::Result;
use crate::generate::Generator;

/// Name of every ledger that a bench makes.
const ORIGIN: &str = "example.com/bench";

/// What the command line asked for.
pub(crate) struct Setup {
    /// Folder of the scratch folders, where the disk is to be another than the system's.
    pub(crate) dir: Option<PathBuf>,
    /// Records, where they are to be others than the bench's own number.
    pub(crate) n: Option<u64>,
    pub(crate) seed: u64,
    /// Fewer records, a tenth where the bench says nothing else.
    pub(crate) quick: bool,
    /// Ten times the records where memory is measured.
    pub(crate) large: bool,
    /// The `modeltrail` executable, where it does not stand beside this one.
    pub(crate) modeltrail: Option<PathBuf>,
}

impl Setup {
    /// A folder that goes with its value.
    pub(crate) fn scratch(&self) -> Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("modeltrail-bench-");
        Ok(match &self.dir {
            Some(dir) => builder.tempdir_in(dir)?,
            None => builder.tempdir()?,
        })
    }

    /// The executable asked for, or the one beside this one.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        let path = match &self.modeltrail {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("modeltrail"),
        };
        if path.is_file() {
            return Ok(path);
        }
        let path = path.display();
        Err(format!("no executable at {path}; build modeltrail-server or give --modeltrail").into())
    }

    /// How many records a bench takes whose own number is `full`.
    pub(crate) fn n(&self, full: u64) -> u64 {
        self.n_or(full, full / 10)
    }

    /// The same where a tenth would measure something else.
    pub(crate) fn n_or(&self, full: u64, quick: u64) -> u64 {
        self.n.unwrap_or(if self.quick { quick } else { full })
    }

    pub(crate) fn generator(&self, n: u64) -> Generator {
        Generator::new(n, self.seed)
    }
}

/// Makes an empty ledger in a folder and returns its URL.
pub(crate) fn create_ledger(dir: &Path, name: &str) -> Result<String> {
    let url = format!("sqlite:{}", dir.join(name).display());
    Ledger::parse(&url)?.create(ORIGIN)?;
    Ok(url)
}

/// The default options, but patient: a slow disk shall make a figure worse and not end the run.
pub(crate) fn patient() -> RecorderOptions {
    let minutes = std::time::Duration::from_secs(600);
    modeltrail::Recorder::options()
        .on_full(modeltrail::OnFull::Block(minutes))
        .flush_timeout(minutes)
        .close_timeout(minutes)
}
