//! CSV (RFC 4180, lines ended by LF) that no spreadsheet takes for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Column;

/// Writes rows as CSV.
pub(crate) struct Csv<W> {
    out: W,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W, columns: &[Column]) -> io::Result<Self> {
        let mut csv = Self { out };
        csv.line(columns.iter().map(|column| column.name))?;
        Ok(csv)
    }

    pub(super) fn row(&mut self, cells: &[String]) -> io::Result<()> {
        self.line(cells.iter().map(String::as_str))
    }

    pub(super) fn finish(self) -> W {
        self.out
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
        for (n, cell) in cells.enumerate() {
            if n > 0 {
                self.out.write_all(b",")?;
            }
            self.out.write_all(field(cell).as_bytes())?;
        }
        self.out.write_all(b"\n")
    }
}

/// A cell: quoted where RFC 4180 asks for it, and with an apostrophe in front where a spreadsheet
/// would run it (OWASP, "CSV Injection").
fn field(cell: &str) -> Cow<'_, str> {
    let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = cell.contains(['"', ',', '\n', '\r']);
    let apostrophe = if runs { "'" } else { "" };
    match (runs, quoted) {
        (false, false) => Cow::Borrowed(cell),
        (true, false) => Cow::Owned(format!("'{cell}")),
        (_, true) => Cow::Owned(format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_run() {
        for (cell, expect) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(cell), expect, "{cell:?}");
        }
    }
}
