//! Files that are read whole, and so have a longest length: what somebody puts in their place may be
//! anything, of any size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a file of at most `bytes_max`; `None` when it is not there.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when it is longer, else when it cannot be read.
pub fn read(path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let what = format!("longer than {bytes_max} bytes; something else stands there");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(Some(bytes))
}

/// Reads a text of at most `bytes_max`.
///
/// # Errors
/// [`io::ErrorKind::NotFound`], [`io::ErrorKind::InvalidData`] when it is longer or no UTF-8, else when it
/// cannot be read.
pub fn read_text(path: &Path, bytes_max: usize) -> io::Result<String> {
    let bytes = read(path, bytes_max)?.ok_or(io::ErrorKind::NotFound)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(read(&path, 9).unwrap(), None);
        assert_eq!(read_text(&path, 9).unwrap_err().kind(), io::ErrorKind::NotFound);
        // A terabyte of nothing, which takes no room on the disk.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&path, 9).unwrap_err().kind(), io::ErrorKind::InvalidData);
        std::fs::write(&path, b"text\n").unwrap();
        assert_eq!(read(&path, 5).unwrap().as_deref(), Some(&b"text\n"[..]));
        assert_eq!(read(&path, 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_text(&path, 5).unwrap(), "text\n");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
