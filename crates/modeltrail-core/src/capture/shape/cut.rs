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
    let bytes = text.as_bytes();
    let mut levels: Vec<Level> = Vec::new();
    // Up to here the text is well formed when its levels are closed.
    let mut sound_end = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let awaits = levels.last().map_or(Awaits::Value, |level| level.awaits);
        match (awaits, byte) {
            (Awaits::Value, b'{' | b'[') => {
                let is_object = byte == b'{';
                let awaits = if is_object { Awaits::Name } else { Awaits::Value };
                levels.push(Level { is_object, awaits });
                if levels.len() > DEPTH_MAX {
                    return None;
                }
                at += 1;
                sound_end = at;
            }
            (Awaits::Comma, b'}' | b']') | (Awaits::Name, b'}') | (Awaits::Value, b']') => {
                levels.pop()?;
                at += 1;
                sound_end = at;
                match levels.last_mut() {
                    Some(level) => level.awaits = Awaits::Comma,
                    // Nothing but white space was cut off.
                    None => return text.get(..at).map(str::to_owned),
                }
            }
            (Awaits::Comma, b',') => {
                let level = levels.last_mut()?;
                level.awaits = if level.is_object { Awaits::Name } else { Awaits::Value };
                at += 1;
            }
            (Awaits::Colon, b':') => {
                levels.last_mut()?.awaits = Awaits::Value;
                at += 1;
            }
            (Awaits::Name, b'"') => {
                let Some(end) = string_end(bytes, at) else { break };
                levels.last_mut()?.awaits = Awaits::Colon;
                at = end;
            }
            (Awaits::Value, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let end = if byte == b'"' { string_end(bytes, at) } else { word_end(bytes, at) };
                let Some(end) = end else { break };
                at = end;
                sound_end = at;
                match levels.last_mut() {
                    Some(level) => level.awaits = Awaits::Comma,
                    // Nothing but white space was cut off.
                    None => return text.get(..at).map(str::to_owned),
                }
            }
            _ => return None,
        }
    }
    let wants_value = match levels.last() {
        None => at < bytes.len(),
        Some(level) => level.awaits == Awaits::Value && (level.is_object || at < bytes.len()),
    };
    let mut closed = text.get(..if wants_value { at } else { sound_end })?.to_owned();
    if wants_value {
        closed.push_str(TRUNCATED);
    }
    closed.extend(levels.iter().rev().map(|level| if level.is_object { '}' } else { ']' }));
    (!closed.is_empty()).then_some(closed)
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
