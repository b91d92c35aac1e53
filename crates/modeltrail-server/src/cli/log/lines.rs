//! Lines of a file of any size, one at a time and none longer than a bound.

use std::io::{self, BufRead};

/// A line without its end.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Line<'a> {
    /// Its bytes.
    Whole(&'a [u8]),
    /// It is longer than the bound; it was passed over and not kept.
    TooLong,
}

/// Reads lines.
pub(crate) struct Lines<R> {
    from: R,
    bytes_max: usize,
    line: Vec<u8>,
    n_bytes: u64,
}

/// Room that is kept between lines: beyond it one long line would hold its memory to the end.
const KEEP_BYTES: usize = 1024 * 1024;

impl<R: BufRead> Lines<R> {
    /// Lines of at most `bytes_max` bytes.
    pub(crate) const fn new(from: R, bytes_max: usize) -> Self {
        Self { from, bytes_max, line: Vec::new(), n_bytes: 0 }
    }

    /// Bytes read so far.
    pub(crate) const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        self.line.shrink_to(KEEP_BYTES);
        let (mut any, mut too_long) = (false, false);
        loop {
            let chunk = match self.from.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = end.map_or(chunk, |end| chunk.get(..end).unwrap_or(chunk));
            too_long |= self.line.len() + part.len() > self.bytes_max;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let n_used = end.map_or(chunk.len(), |end| end + 1);
            self.from.consume(n_used);
            self.n_bytes += u64::try_from(n_used).unwrap_or(0);
            if end.is_some() {
                break;
            }
        }
        Ok(match (any, too_long) {
            (false, _) => None,
            (true, true) => Some(Line::TooLong),
            (true, false) => Some(Line::Whole(self.line.strip_suffix(b"\r").unwrap_or(&self.line))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_and_long_lines() {
        let text = b"one\r\n\n1234567\nlast line\n12345678\nend";
        // A tiny buffer, so that lines span several of its fillings.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, &text[..]), 7);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push(match line {
                Line::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Line::TooLong => "too long".to_owned(),
            });
        }
        assert_eq!(seen, ["one", "", "1234567", "too long", "too long", "end"]);
        assert_eq!(lines.n_bytes(), text.len() as u64);
        assert_eq!(Lines::new(&b""[..], 7).next().unwrap(), None);
    }
}
