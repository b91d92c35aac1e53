//! One byte of a stored answer, changed in a copy of the files, past every trigger and lock.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use modeltrail::Ledger;

use crate::exit::Failure;

/// A stored answer that may be edited.
pub(super) struct Candidate {
    /// Its entry.
    pub(super) index: u64,
    /// The bytes of its output part.
    pub(super) output: Vec<u8>,
}

/// What was changed.
pub(super) struct Edit {
    /// Whose answer.
    pub(super) index: u64,
    /// Where in the file.
    pub(super) offset: usize,
    /// The answer as it was.
    pub(super) before: String,
    /// The answer as it is.
    pub(super) after: String,
}

/// Copies the database and the folder beside it.
pub(super) fn copy_ledger(ledger: &Ledger, from: &Path, to: &Path) -> Result<(), Failure> {
    // A database whose last connection was closed has no log left; what a log holds would be read
    // in place of the edited page.
    let mut log = from.as_os_str().to_owned();
    log.push("-wal");
    if fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0) {
        return Err(Failure::failed("the demo's database is still in use; try again"));
    }
    fs::copy(from, to).map_err(|error| Failure::file(to, &error))?;
    let anchor = ledger.anchor_path();
    let mut to_dir = to.as_os_str().to_owned();
    to_dir.push(".d");
    let to_dir = PathBuf::from(to_dir);
    match anchor.parent() {
        Some(dir) => copy_dir(dir, &to_dir).map_err(|error| Failure::file(&to_dir, &error)),
        None => Ok(()),
    }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let (from, to) = (item.path(), to.join(item.file_name()));
        if item.file_type()?.is_dir() {
            copy_dir(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Changes one digit of the first candidate that stands in the file exactly once.
pub(super) fn edit(path: &Path, candidates: &[Candidate]) -> Result<Edit, Failure> {
    let mut file = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    for Candidate { index, output } in candidates {
        let (Some(place), Some(digit)) = (only_place(&file, output), first_decimal(output)) else {
            continue;
        };
        let offset = place.start + digit;
        if let Some(byte) = file.get_mut(offset) {
            *byte = if *byte == b'1' { b'2' } else { b'1' };
        }
        fs::write(path, &file).map_err(|error| Failure::file(path, &error))?;
        let after = file.get(place).unwrap_or_default();
        return Ok(Edit {
            index: *index,
            offset,
            before: String::from_utf8_lossy(output).into_owned(),
            after: String::from_utf8_lossy(after).into_owned(),
        });
    }
    Err(Failure::failed("no stored answer stands in the file in one piece; nothing was edited"))
}

/// Where `needle` stands, if it stands there once.
fn only_place(file: &[u8], needle: &[u8]) -> Option<Range<usize>> {
    if needle.is_empty() {
        return None;
    }
    let mut places = file.windows(needle.len()).enumerate().filter(|(_, window)| *window == needle);
    let (start, _) = places.next()?;
    places.next().is_none().then_some(start..start + needle.len())
}

/// Offset of the first digit after a decimal point.
fn first_decimal(json: &[u8]) -> Option<usize> {
    let decimal = |pair: &[u8]| matches!(pair, [b'.', digit] if digit.is_ascii_digit());
    json.windows(2).position(decimal).map(|at| at + 1)
}
