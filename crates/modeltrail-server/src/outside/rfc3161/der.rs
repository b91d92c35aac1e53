//! As much of DER (X.690) as requests and responses of RFC 3161 need: definite lengths, tags of one
//! byte, 4 GiB at most.

/// BOOLEAN.
pub(super) const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(super) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// UTF8String.
pub(super) const UTF8_STRING: u8 = 0x0c;
/// GeneralizedTime.
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE, constructed.
pub(super) const SEQUENCE: u8 = 0x30;
/// SET, constructed.
pub(super) const SET: u8 = 0x31;

/// `[n]`, constructed.
pub(super) const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// A value with its tag and length.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let bytes: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match bytes.as_slice() {
        [] => out.push(0),
        [short @ ..0x80] => out.push(*short),
        // At most eight bytes.
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend(long);
        }
    }
    out.extend(content);
    out
}

/// A value made of others.
pub(super) fn constructed(tag: u8, items: &[&[u8]]) -> Vec<u8> {
    value(tag, &items.concat())
}

/// A positive INTEGER from its bytes, big end first: no needless zeros, and one where the first bit
/// would make it negative.
pub(super) fn positive(bytes: &[u8]) -> Vec<u8> {
    let trimmed: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let needs_zero = trimmed.first().is_none_or(|first| *first >= 0x80);
    let content = if needs_zero { [&[0][..], &trimmed].concat() } else { trimmed };
    value(INTEGER, &content)
}

/// What is left to read of a constructed value, and where it lies in the whole.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

/// Why bytes are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {at}: not {expected}")]
pub(crate) struct DerError {
    /// Offset from the first byte.
    pub(crate) at: usize,
    /// What should stand there.
    pub(crate) expected: &'static str,
}

/// A value that was read.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) content: &'a [u8],
    /// Where the content begins.
    pub(super) at: usize,
}

impl<'a> Value<'a> {
    /// Reads what is in it.
    pub(super) const fn inside(&self) -> Reader<'a> {
        Reader { rest: self.content, at: self.at }
    }
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) const fn error(&self, expected: &'static str) -> DerError {
        DerError { at: self.at, expected }
    }

    fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8], DerError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or_else(|| self.error(expected))?;
        self.rest = rest;
        self.at += n;
        Ok(taken)
    }

    fn byte(&mut self, expected: &'static str) -> Result<u8, DerError> {
        self.take(1, expected)?.first().copied().ok_or_else(|| self.error(expected))
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self, expected: &'static str) -> Result<Value<'a>, DerError> {
        let tag = self.byte(expected)?;
        if tag & 0x1f == 0x1f {
            return Err(self.error("a tag of one byte"));
        }
        let length = self.length()?;
        let at = self.at;
        let content = self.take(length, "as long as it says: the bytes end before")?;
        Ok(Value { content, at })
    }

    fn length(&mut self) -> Result<usize, DerError> {
        let first = self.byte("a length")?;
        let n_bytes = match first {
            0..=0x7f => return Ok(usize::from(first)),
            0x81..=0x84 => usize::from(first & 0x7f),
            _ => return Err(self.error("a definite length below 4 GiB")),
        };
        let bytes = self.take(n_bytes, "a length")?;
        let length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
        // Longer spellings than DER's are read too: authorities write some, and nothing is hashed here.
        Ok(length)
    }

    /// The next value, which must have this tag.
    pub(super) fn expect(
        &mut self,
        tag: u8,
        expected: &'static str,
    ) -> Result<Value<'a>, DerError> {
        match self.rest.first() {
            Some(next) if *next == tag => self.any(expected),
            _ => Err(self.error(expected)),
        }
    }

    /// The next value if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, DerError> {
        match self.rest.first() {
            Some(next) if *next == tag => self.any("a value").map(Some),
            _ => Ok(None),
        }
    }

    /// Refuses what follows.
    pub(super) const fn end(&self, expected: &'static str) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(expected)) }
    }
}
