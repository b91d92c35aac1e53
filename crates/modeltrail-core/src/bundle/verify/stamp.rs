//! What of a TimeStampResp (RFC 3161) can be read without certificates: that it is whole DER, granted,
//! and what it is over and when.

use crate::hash::Hash;

/// Tags of DER that are looked for.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const TIME: u8 = 0x18;
const CONTEXT_0: u8 = 0xa0;

/// Set in tags whose content is a row of further values.
const CONSTRUCTED: u8 = 0x20;

/// Values nest some ten deep in a response; hostile ones must not nest without end.
const DEPTH_MAX: u8 = 64;

/// 1.2.840.113549.1.7.2, signedData.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, what a timestamp's content is called.
const TST_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 2.16.840.1.101.3.4.2.1, SHA-256.
const SHA_256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// Imprint and time of a granted response (RFC 3161 section 2.4.2); `None` for anything else.
pub(super) fn read_response(bytes: &[u8]) -> Option<(Hash, String)> {
    let (mut response, rest) = take(bytes, SEQUENCE)?;
    if !rest.is_empty() || !is_whole(bytes, 0) {
        return None;
    }
    let mut status = step(&mut response, SEQUENCE)?;
    // Granted, or granted with modifications.
    if !matches!(step(&mut status, INTEGER)?, [0 | 1]) {
        return None;
    }
    let mut token = step(&mut response, SEQUENCE)?;
    (step(&mut token, OBJECT_ID)? == SIGNED_DATA).then_some(())?;
    let mut explicit = step(&mut token, CONTEXT_0)?;
    let mut signed = step(&mut explicit, SEQUENCE)?;
    step(&mut signed, INTEGER)?;
    step(&mut signed, SET)?;
    let mut content = step(&mut signed, SEQUENCE)?;
    (step(&mut content, OBJECT_ID)? == TST_INFO).then_some(())?;
    let mut explicit = step(&mut content, CONTEXT_0)?;
    let mut octets = step(&mut explicit, OCTETS)?;
    let mut info = step(&mut octets, SEQUENCE)?;
    read_info(&mut info)
}

/// Imprint and time of a TSTInfo.
fn read_info(info: &mut &[u8]) -> Option<(Hash, String)> {
    step(info, INTEGER)?;
    step(info, OBJECT_ID)?;
    let mut imprint = step(info, SEQUENCE)?;
    let mut algorithm = step(&mut imprint, SEQUENCE)?;
    (step(&mut algorithm, OBJECT_ID)? == SHA_256).then_some(())?;
    let hash = Hash::from_slice(step(&mut imprint, OCTETS)?)?;
    step(info, INTEGER)?;
    let time = std::str::from_utf8(step(info, TIME)?).ok()?;
    let is_plain =
        time.len() <= 32 && time.bytes().all(|c| c.is_ascii_digit() || b".Z".contains(&c));
    is_plain.then(|| (hash, time.to_owned()))
}

/// Whether bytes are a row of values, each as long as it says, all the way down.
fn is_whole(mut bytes: &[u8], depth: u8) -> bool {
    while let Some((tag, _)) = bytes.split_first() {
        let Some((content, rest)) = take(bytes, *tag) else { return false };
        let is_row = tag & CONSTRUCTED != 0;
        if is_row && (depth >= DEPTH_MAX || !is_whole(content, depth + 1)) {
            return false;
        }
        bytes = rest;
    }
    true
}

/// Takes one value of this tag from the front.
fn step<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (content, rest) = take(bytes, tag)?;
    *bytes = rest;
    Some(content)
}

/// Content of the value of this tag at the front, and what is behind it. Tags are single bytes, and
/// lengths have up to three: a file of timestamps has at most a mebibyte.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let n_more = match length {
        0..=0x7f => return rest.split_at_checked(usize::from(*length)),
        0x81..=0x83 => usize::from(length & 0x7f),
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(n_more)?;
    let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
    rest.split_at_checked(length)
}
