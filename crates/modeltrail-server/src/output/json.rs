//! JSON: lists that are written while they are made, and stored JSON laid out for people.

use std::io::{self, Write};

use serde::Serialize;

/// A JSON array, an element a line; or NDJSON, the same lines without brackets and commas.
pub(crate) struct JsonList<W> {
    out: W,
    ndjson: bool,
    n: u64,
}

impl<W: Write> JsonList<W> {
    /// Begins a list.
    pub(crate) fn new(mut out: W, ndjson: bool) -> io::Result<Self> {
        if !ndjson {
            out.write_all(b"[")?;
        }
        Ok(Self { out, ndjson, n: 0 })
    }

    /// One element.
    pub(crate) fn push(&mut self, element: &impl Serialize) -> io::Result<()> {
        if !self.ndjson {
            self.out.write_all(if self.n == 0 { b"\n" } else { b",\n" })?;
        }
        serde_json::to_writer(&mut self.out, element)?;
        if self.ndjson {
            self.out.write_all(b"\n")?;
        }
        self.n += 1;
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (self.ndjson, self.n) {
            (true, _) => {}
            (false, 0) => self.out.write_all(b"]\n")?,
            (false, _) => self.out.write_all(b"\n]\n")?,
        }
        self.out.flush()
    }
}

/// An answer that is one value, on a line of its own.
pub(crate) fn json_line(
    out: &mut impl Write,
    answer: &(impl Serialize + ?Sized),
) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The same, laid out for people who read it.
pub(crate) fn json_pretty(
    out: &mut impl Write,
    answer: &(impl Serialize + ?Sized),
) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, answer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Canonical JSON with line breaks and two spaces a level, each line after `indent`. Every token
/// stays as it is: reading numbers into doubles would lose digits.
pub(crate) fn pretty(canonical: &str, indent: &str) -> String {
    let mut out = String::from(indent);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = canonical.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(indent);
        out.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = chars.next() {
        if in_string {
            in_string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_string = true;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(n: u64, ndjson: bool) -> String {
        let mut bytes = Vec::new();
        let mut list = JsonList::new(&mut bytes, ndjson).unwrap();
        (0..n).for_each(|n| list.push(&n).unwrap());
        list.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lists_of_any_length_are_json() {
        for n in 0..3 {
            let read: Vec<u64> = serde_json::from_str(&list(n, false)).unwrap();
            assert_eq!(read.len() as u64, n);
        }
        assert_eq!(list(2, true), "0\n1\n");
    }

    #[test]
    fn layout_changes_no_token() {
        let json = r#"{"a":[],"b":[1.10,12345678901234567890],"c":"x\",{\\","d":{}}"#;
        let text = pretty(json, "  ");
        assert_eq!(
            text,
            "  {\n    \"a\": [],\n    \"b\": [\n      1.10,\n      12345678901234567890\n    ],\n    \
             \"c\": \"x\\\",{\\\\\",\n    \"d\": {}\n  }"
        );
    }
}
