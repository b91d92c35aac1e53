//! The container: POSIX ustar, of which one form alone is written and read, so that the same files give
//! the same bytes and a reader has nothing to interpret.

/// Headers are one block, and contents are filled up to whole ones.
pub const BLOCK_BYTES: usize = 512;

/// Zero bytes behind the last file: two blocks.
pub const END_BYTES: usize = 2 * BLOCK_BYTES;

/// Largest file: what eleven octal digits say.
pub const FILE_BYTES_MAX: u64 = (1 << 33) - 1;

/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 100;

const SIZE_AT: usize = 124;
const CHECKSUM_AT: usize = 148;

/// The header of a regular file; `None` for a path or a size that no bundle can have.
#[must_use]
pub fn header(path: &str, n_bytes: u64) -> Option<[u8; BLOCK_BYTES]> {
    if !is_plain(path) || n_bytes > FILE_BYTES_MAX {
        return None;
    }
    let mut block = [0; BLOCK_BYTES];
    let size = format!("{n_bytes:011o}");
    let fields: [(usize, &[u8]); 10] = [
        (0, path.as_bytes()),
        (100, b"0000644"),
        (108, b"0000000"),
        (116, b"0000000"),
        (SIZE_AT, size.as_bytes()),
        (136, b"00000000000"),
        (CHECKSUM_AT, b"        "),
        (156, b"0"),
        (257, b"ustar\0"),
        (263, b"00"),
    ];
    for (at, bytes) in fields {
        put(&mut block, at, bytes);
    }
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, CHECKSUM_AT, format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

fn put(block: &mut [u8; BLOCK_BYTES], at: usize, bytes: &[u8]) {
    block.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}

/// Path and size of a header that is byte for byte what [`header`] writes.
///
/// # Errors
/// What is not as it should be.
pub fn read_header(block: &[u8; BLOCK_BYTES]) -> Result<(String, u64), &'static str> {
    let path: Vec<u8> =
        block.iter().take(PATH_BYTES_MAX).take_while(|byte| **byte != 0).copied().collect();
    let path = String::from_utf8(path).ok().filter(|path| is_plain(path));
    let path = path.ok_or("a path that no bundle has")?;
    let digits = block.iter().skip(SIZE_AT).take(11);
    let size = digits.copied().try_fold(0_u64, |size, digit| match digit {
        b'0'..=b'7' => Some(size * 8 + u64::from(digit - b'0')),
        _ => None,
    });
    let size = size.ok_or("a size that is not eleven octal digits")?;
    if header(&path, size).as_ref() != Some(block) {
        return Err("a header of another form: a link, a folder, an owner, a time or a checksum");
    }
    Ok((path, size))
}

/// Zero bytes behind a content of this length.
#[must_use]
pub fn padding_bytes(n_bytes: u64) -> usize {
    let block = u64::try_from(BLOCK_BYTES).unwrap_or(512);
    let over = usize::try_from(n_bytes % block).unwrap_or(0);
    if over == 0 { 0 } else { BLOCK_BYTES - over }
}

/// Whether a path has no piece that could lead elsewhere.
fn is_plain(path: &str) -> bool {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'/');
    (1..=PATH_BYTES_MAX).contains(&path.len())
        && path.bytes().all(is_name)
        && path.split('/').all(|piece| !matches!(piece, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_each_other_byte_of_it_is_refused() {
        for (path, size) in [("a", 0), ("tile/entries/x001/000.p/7", FILE_BYTES_MAX)] {
            let block = header(path, size).unwrap();
            assert_eq!(read_header(&block), Ok((path.to_owned(), size)));
            for at in 0..BLOCK_BYTES {
                let mut other = block;
                other[at] ^= 1;
                assert!(read_header(&other).is_err(), "{path} {at}");
            }
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(101);
        for path in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "ä", "a b", &long]
        {
            assert_eq!(header(path, 0), None, "{path}");
        }
        let longest = "a".repeat(100);
        assert_eq!(read_header(&header(&longest, 1).unwrap()), Ok((longest, 1)));
        assert_eq!(header("a", FILE_BYTES_MAX + 1), None);
        assert_eq!((padding_bytes(0), padding_bytes(1), padding_bytes(512)), (0, 511, 0));
    }
}
