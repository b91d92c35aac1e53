//! From a path to a connection.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{StatVfsMountFlags, access, statvfs};

use super::super::StoreError;
use super::{Access, schema};

/// Connects to a ledger; gives the version of its format.
pub(super) fn connect(path: &Path, access: Access) -> Result<(Connection, u32), StoreError> {
    // A reader needs to write too: SQLite keeps its readers' marks beside the file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)
        .or_else(|_| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    match check_format(&db, path) {
        Err(StoreError::Sqlite(_)) if access == Access::Read && is_at_rest(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(at_rest(path), flags)?;
            let version = check_format(&db, path)?;
            Ok((db, version))
        }
        version => Ok((db, version?)),
    }
}

fn check_format(db: &Connection, path: &Path) -> Result<u32, StoreError> {
    let application_id: Result<i32, _> =
        db.query_row("PRAGMA application_id", [], |row| row.get(0));
    match application_id {
        Ok(schema::APPLICATION_ID) => {}
        Ok(_) => return Err(StoreError::NotALedger(path.to_owned())),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(StoreError::NotALedger(path.to_owned()));
        }
        // A full disk, a lock, a file system without write access: it may be a ledger all the same.
        Err(error) => return Err(error.into()),
    }
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// True for a database that is kept as a copy for an audit: on a file system that is mounted
/// read-only, or with file and folder closed to writing, and all of it in the file itself.
fn is_at_rest(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let mount = statvfs(path).map(|mount| mount.f_flag);
    let is_mounted_so = mount.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let may_write = |path: &Path| access(path, rustix::fs::Access::WRITE_OK).is_ok();
    let is_kept_so = !may_write(path) && !may_write(folder.unwrap_or(Path::new(".")));
    !has_log && (is_mounted_so || is_kept_so)
}

/// The URI that tells SQLite that the file does not change, so that it needs no locks and no
/// readers' marks beside it (sqlite.org/uri.html, `immutable`; tidy: allow-word, SQLite's own name).
fn at_rest(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            // Writing to a String cannot fail.
            byte => write!(uri, "%{byte:02x}").unwrap_or_default(),
        }
    }
    uri + "?immutable=1" // tidy: allow-word, SQLite's own name
}
