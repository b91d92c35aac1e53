//! Content codings, taken off for the record alone: what goes over the wire stays as it is (feature `unpack`). For
//! [`modeltrail_core::capture::Plan::unpack_with`].

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// The bytes under the content coding `gzip` or `deflate`, at most `bytes_max` of them; `None` for any other, and for
/// bytes that are none. Of what ends early, what is there.
#[must_use]
pub fn unpack(coding: &str, bytes: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    match coding {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(bytes), bytes_max),
        // Zlib by the standard (RFC 9110, 8.4.1.2), and bare by habit.
        "deflate" => read(ZlibDecoder::new(bytes), bytes_max)
            .or_else(|| read(DeflateDecoder::new(bytes), bytes_max)),
        _ => None,
    }
}

fn read(from: impl Read, bytes_max: usize) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    // Whatever came before an error is good.
    let done = from.take(limit).read_to_end(&mut unpacked);
    (done.is_ok() || !unpacked.is_empty()).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn codings_are_taken_off_up_to_a_length_and_what_is_cut_gives_what_is_there() {
        let text = b"the same again and again, ".repeat(4000);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        zlib.write_all(&text).unwrap();
        bare.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(unpack("gzip", &gzip, usize::MAX).unwrap(), text);
        assert_eq!(unpack("deflate", &zlib.finish().unwrap(), usize::MAX).unwrap(), text);
        assert_eq!(unpack("deflate", &bare.finish().unwrap(), usize::MAX).unwrap(), text);
        assert_eq!(unpack("gzip", &gzip, 100).unwrap(), text[..100], "a bomb stops here");
        let cut = unpack("gzip", &gzip[..gzip.len() / 2], usize::MAX).unwrap();
        assert!(!cut.is_empty() && text.starts_with(&cut));
        assert_eq!(unpack("br", &gzip, 100), None);
        assert_eq!(unpack("gzip", b"no gzip", 100), None);
    }
}
