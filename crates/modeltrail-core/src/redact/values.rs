//! What a value looks like: a secret, or a word that stands in for one.

/// Whether nothing is left of a value once what the redactor put there is taken away.
pub(super) fn is_blank(value: &str) -> bool {
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[');
        match placeholder_len(rest.as_bytes()) {
            Some(len) => rest = rest.get(len..).unwrap_or_default(),
            None if rest.is_empty() => return true,
            None if rest.starts_with('[') && !rest.contains(char::is_alphanumeric) => return true,
            // One that is cut off.
            None => {
                let cut = rest.strip_prefix('[').unwrap_or("x");
                let label = |b: u8| b.is_ascii_uppercase() || b == b'_';
                let n = cut.bytes().position(|b| !label(b)).unwrap_or(cut.len());
                let tail = cut.get(n..).unwrap_or_default();
                let token = |b: u8| b.is_ascii_lowercase() || b == b':';
                return tail.is_empty()
                    || (n > 0 && tail.starts_with(':') && tail.bytes().all(token));
            }
        }
    }
}

/// The length of what the redactor puts in the place of a span (`[EMAIL]`, `[EMAIL:k1:7f9c]`) if
/// the text starts with that.
pub(super) fn placeholder_len(text: &[u8]) -> Option<usize> {
    /// The longest name and a pseudonym with the name of its epoch stay below this.
    const LEN_MAX: usize = 72;
    let (b'[', rest) = text.split_first()? else { return None };
    let name = rest.iter().take(LEN_MAX).position(|b| !(b.is_ascii_uppercase() || *b == b'_'))?;
    if name < 2 {
        return None;
    }
    let tail = rest.get(name..)?;
    match tail.first()? {
        b']' => Some(name + 2),
        b':' => {
            let token =
                |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.');
            let end = tail.iter().take(LEN_MAX).position(|b| !token(b))?;
            (tail.get(end) == Some(&b']')).then_some(1 + name + end + 1)
        }
        _ => None,
    }
}

/// Words that stand where a secret could.
const STAND_INS: &[&str] = &[
    "",
    "changeme",
    "disabled",
    "empty",
    "enabled",
    "example",
    "false",
    "hidden",
    "masked",
    "n/a",
    "nil",
    "no",
    "none",
    "null",
    "number",
    "optional",
    "placeholder",
    "redacted",
    "required",
    "secret",
    "string",
    "test",
    "todo",
    "true",
    "undefined",
    "unset",
    "yes",
];

/// Whether a value is a variable, a placeholder or a word for nothing: `$KEY`, `${key}`,
/// `{{ key }}`, `<your key>`, `****`, `null`.
pub(super) fn is_stand_in(value: &str) -> bool {
    let bytes = value.as_bytes();
    let variable = matches!(bytes, [b'$', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'{' | b'(', ..])
        || matches!(bytes, [b'{', .., b'}'] | [b'<', .., b'>'] | [b'%', .., b'%'] | [b'%', b's'])
        || (bytes.first() == Some(&b'[') && bytes.last() == Some(&b']'));
    if variable || is_masked(bytes) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    STAND_INS.binary_search(&lower.as_str()).is_ok()
        || ["your", "my_", "my-", "insert", "enter", "replace"].iter().any(|s| {
            lower.starts_with(s)
                && ["key", "token", "secret", "password", "here"].iter().any(|t| lower.contains(t))
        })
        || ["process.env", "os.environ", "os.getenv", "getenv(", "env.", "secrets."]
            .iter()
            .any(|start| lower.starts_with(start))
}

/// `xxxx`, `****`, `....`: one character, perhaps with dashes.
pub(super) fn is_masked(bytes: &[u8]) -> bool {
    let mut plain = bytes.iter().filter(|b| !matches!(b, b'-' | b'_' | b' '));
    let Some(first) = plain.next() else { return true };
    matches!(first, b'x' | b'X' | b'*' | b'.' | b'#') && plain.all(|b| b == first)
}

/// Whether a value is made of characters as a generator makes them: at least `min` long, letters
/// and digits mixed, and neither a UUID, a path, a version, a time nor a domain.
pub(super) fn is_random(value: &str, min: usize) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < min || is_stand_in(value) || is_uuid(bytes) {
        return false;
    }
    let (mut digits, mut letters, mut dots, mut slashes, mut seen) = (0, 0, 0, 0, 0_u128);
    for byte in bytes {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'A'..=b'Z' | b'a'..=b'z' => letters += 1,
            b'.' => dots += 1,
            b'/' => slashes += 1,
            b'_' | b'-' | b'+' | b'=' | b'~' | b'!' | b'#' | b'$' | b'%' | b'^' | b'*' | b'|'
            | b'@' | b':' => {}
            _ => return false,
        }
        seen |= 1 << (byte & 0x7f);
    }
    let path =
        slashes > 0 && (dots > 0 || !bytes.len().is_multiple_of(4) && slashes > bytes.len() / 16);
    let url = value.contains("://") || value.starts_with('/');
    digits >= 2 && letters >= 3 && seen.count_ones() >= 7 && !path && !url && !is_dotted(value)
}

/// Whether letters are mixed as a generator mixes them, which one time in ten takes next to no digit:
/// capitals and small letters change places singly, as they do not in `camelCase`.
pub(super) fn is_scrambled(value: &str) -> bool {
    /// Shorter text may come out so by chance.
    const BYTES_MIN: usize = 20;
    /// Small letters alone between capitals: camel case has one now and then ("aB").
    const SINGLES_MIN: usize = 3;
    let bytes = value.as_bytes();
    let singles = bytes
        .windows(3)
        .filter(|w| matches!(w, [a, b, c] if a.is_ascii_uppercase() && b.is_ascii_lowercase() && c.is_ascii_uppercase()))
        .count();
    bytes.len() >= BYTES_MIN
        && singles >= SINGLES_MIN
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/' | b'='))
}

/// `dev-lb1.api.example.com:5215`, `v1.2.3-rc.4`, `os.environ.key`: short parts between dots.
fn is_dotted(value: &str) -> bool {
    value.contains('.') && value.split('.').all(|part| part.len() < 16)
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(token: &[u8]) -> bool {
    token.len() == 36
        && token.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_redactor_wrote_is_blank() {
        for text in [
            "[EMAIL]",
            " [US_SSN], [CC]",
            "",
            "--",
            "[PHONE:k1:7f9c2d]",
            "[PASSWORD",
            "[PASSWORD:a:kcfm",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "[EMAIL] x", "[x]", "[A]x", "12"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn stand_ins_are_no_secrets() {
        assert!(STAND_INS.is_sorted());
        for text in [
            "$KEY",
            "${key}",
            "{{ key }}",
            "<key>",
            "xxxx-xxxx",
            "null",
            "YOUR_API_KEY",
            "os.environ['X']",
        ] {
            assert!(is_stand_in(text), "{text:?}");
        }
        for text in ["s3cr3t-value", "Blue!42", "k-20933", "hunter2"] {
            assert!(!is_stand_in(text), "{text:?}");
        }
    }

    #[test]
    fn random_text_is_told_from_names_and_addresses() {
        for text in
            ["0afae57f3ccfd9d7f5767067bc48b30f", "hE1hlYILrSqpqh.atlasv1.ARjZuyzl33F71WR55s6l"]
        {
            assert!(is_random(text, 12), "{text:?}");
        }
        for text in [
            "dev-lb1.api.f4ke.com:5215",
            "a/b/c-2026-11-22/part-00017.parquet",
            "e8e4df51-2054-49b0-ab1c-516ac95c691d",
            "2026-11-22T10:20:30Z",
            "get_weather_tool_v2x",
            "$OPENAI_API_KEY_2_33",
        ] {
            assert!(!is_random(text, 12), "{text:?}");
        }
    }
}
