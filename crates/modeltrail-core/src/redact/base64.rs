//! Base64 (RFC 4648, either alphabet, with or without padding) that holds text.

/// Characters that are decoded first: what is no text is nearly always told by these.
const PROBE_BYTES: usize = 24;

/// The text that a run of base64 characters holds, if it is text.
pub(super) fn decode_text(run: &[u8]) -> Option<String> {
    let lower = run.iter().any(u8::is_ascii_lowercase);
    let upper = run.iter().any(u8::is_ascii_uppercase);
    if !lower || !upper {
        return None;
    }
    let probe = decode(run.get(..PROBE_BYTES)?)?;
    if !is_text(&probe, true) {
        return None;
    }
    // A last group of one character says nothing.
    let whole = run.len() - usize::from(run.len() % 4 == 1);
    let bytes = decode(run.get(..whole)?)?;
    if !is_text(&bytes, false) {
        return None;
    }
    String::from_utf8(bytes).ok()
}

/// The same for a run that may be shorter than what is probed.
pub(super) fn decode_short(run: &[u8]) -> Option<String> {
    String::from_utf8(decode(run)?).ok()
}

/// Whether bytes are UTF-8 without control characters; cut at their end if `is_cut`.
fn is_text(bytes: &[u8], is_cut: bool) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn decode(run: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3 + 3);
    for group in run.chunks(4) {
        let mut value = 0_u32;
        for byte in group {
            value = value << 6 | u32::from(sextet(*byte)?);
        }
        value <<= 6 * (4 - group.len());
        let [_, a, b, c] = value.to_be_bytes();
        bytes.extend([a, b, c].iter().take(group.len().saturating_sub(1)));
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_bytes() {
        let text = |run: &str| decode_text(run.as_bytes());
        assert_eq!(
            text("eyJ2IjogInBpZXQubm9haDQ1MUBtYWlsLmV4YW1wbGUubmV0In0").as_deref(),
            Some(r#"{"v": "piet.noah451@mail.example.net"}"#)
        );
        assert_eq!(text("LUqz/c94q6GqbO86CcbEcOVz48TfO635TIvjqjJIDROv1bPewiJW4Osi9"), None);
        assert_eq!(text("aaaaaaaaaaaaaaaaaaaaaaaa"), None);
        assert_eq!(
            text("w7xiZXIgYWxsZW4gR2lwZmVsbiBpc3QgUnVo").as_deref(),
            Some("über allen Gipfeln ist Ruh")
        );
    }
}
