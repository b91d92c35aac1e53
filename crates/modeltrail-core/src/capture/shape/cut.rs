//! JSON whose end is missing, closed so that it can be read: redaction by the names of members then works on it.

/// What stands for a value that was cut.
const TRUNCATED: &str = "\"[TRUNCATED]\"";

/// Deepest nesting that is closed; deeper text is no JSON that a record takes.
const DEPTH_MAX: usize = 128;

/// What is awaited inside an object or a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// A member's name, or the object's end.
    Name,
    /// The colon behind a name.
    Colon,
    /// A value.
    Value,
    /// A comma, or the end.
    Comma,
}

struct Level {
    is_object: bool,
    awaits: Awaits,
}

/// What a token of the text led to.
enum Step {
    /// There may be more.
    On,
    /// The token has no end.
    Cut,
    /// The whole text's value has ended: nothing but white space was cut off.
    Whole,
}

/// Where the reading of a text stands.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    /// Up to here the text is well formed when its levels are closed.
    sound_end: usize,
}

/// Closes a text that was cut: a value that was cut becomes `"[TRUNCATED]"`, a member's name that was cut goes. `None`
/// where it is no JSON that was cut.
pub(super) fn close(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The cut may go through a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, levels: Vec::new(), sound_end: 0 };
    while let Some(byte) = text.as_bytes().get(scan.at).copied() {
        if byte.is_ascii_whitespace() {
            scan.at += 1;
            continue;
        }
        match scan.step(byte)? {
            Step::On => {}
            Step::Cut => break,
            Step::Whole => return text.get(..scan.at).map(str::to_owned),
        }
    }
    let Scan { at, levels, sound_end, .. } = scan;
    let wants_value = match levels.last() {
        None => at < text.len(),
        Some(level) => level.awaits == Awaits::Value && (level.is_object || at < text.len()),
    };
    let mut closed = text.get(..if wants_value { at } else { sound_end })?.to_owned();
    if wants_value {
        closed.push_str(TRUNCATED);
    }
    closed.extend(levels.iter().rev().map(|level| if level.is_object { '}' } else { ']' }));
    (!closed.is_empty()).then_some(closed)
}

impl Scan<'_> {
    /// Takes the token that begins with `byte`; `None` where JSON has none there.
    fn step(&mut self, byte: u8) -> Option<Step> {
        let awaits = self.levels.last().map_or(Awaits::Value, |level| level.awaits);
        match (awaits, byte) {
            (Awaits::Value, b'{' | b'[') => {
                let is_object = byte == b'{';
                let awaits = if is_object { Awaits::Name } else { Awaits::Value };
                self.levels.push(Level { is_object, awaits });
                self.at += 1;
                self.sound_end = self.at;
                (self.levels.len() <= DEPTH_MAX).then_some(Step::On)
            }
            (Awaits::Comma, b'}' | b']') | (Awaits::Name, b'}') | (Awaits::Value, b']') => {
                self.levels.pop()?;
                Some(self.value_ends(self.at + 1))
            }
            (Awaits::Comma, b',') => {
                let level = self.levels.last_mut()?;
                level.awaits = if level.is_object { Awaits::Name } else { Awaits::Value };
                self.at += 1;
                Some(Step::On)
            }
            (Awaits::Colon, b':') => {
                self.levels.last_mut()?.awaits = Awaits::Value;
                self.at += 1;
                Some(Step::On)
            }
            (Awaits::Name, b'"') => {
                let Some(end) = string_end(self.bytes, self.at) else { return Some(Step::Cut) };
                self.levels.last_mut()?.awaits = Awaits::Colon;
                self.at = end;
                Some(Step::On)
            }
            (Awaits::Value, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let end = if byte == b'"' { string_end } else { word_end };
                Some(end(self.bytes, self.at).map_or(Step::Cut, |end| self.value_ends(end)))
            }
            _ => None,
        }
    }

    /// Notes that a value ends before `at`.
    fn value_ends(&mut self, at: usize) -> Step {
        (self.at, self.sound_end) = (at, at);
        match self.levels.last_mut() {
            Some(level) => {
                level.awaits = Awaits::Comma;
                Step::On
            }
            None => Step::Whole,
        }
    }
}

/// Behind the string that begins at `at`; `None` where its end is missing.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// Behind the number or word that begins at `at`; `None` where nothing stands behind it, as it may go on.
fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
    rest.iter().position(is_end).map(|n| at + n).filter(|end| *end > at)
}
