//! RFC 3161 timestamps: that each is over this checkpoint. Whether its authority signed it is not
//! judged here: that takes the authority's certificate, which an auditor has from the authority, and
//! `openssl ts -verify`.

use std::io::{self, Read, Seek};

use serde::Serialize;

use super::Check;
use super::checkpoint::Signed;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::hash::{Hash, sha256};

/// A timestamp over the bundle's checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TimestampReport {
    /// Its file.
    pub file: String,
    /// When, by the authority's clock and in its own form: `20260315093000Z`.
    pub time: String,
}

impl<R: Read + Seek> Check<R> {
    pub(super) fn check_timestamps(&mut self, signed: &Signed) -> io::Result<()> {
        let paths = self.container.files().filter_map(|(path, _)| BundlePath::parse(path));
        let paths: Vec<BundlePath> = paths.collect();
        for path in paths {
            let other = match path {
                BundlePath::Timestamp(n) => BundlePath::Certificates(n),
                BundlePath::Certificates(n) => BundlePath::Timestamp(n),
                _ => continue,
            };
            if self.container.extent(other).is_none() {
                self.file(Kind::BadTimestamp, path, format!("it is here without {other}"));
            }
            if matches!(path, BundlePath::Timestamp(_)) {
                self.check_timestamp(path, signed)?;
            }
        }
        Ok(())
    }

    fn check_timestamp(&mut self, path: BundlePath, signed: &Signed) -> io::Result<()> {
        let (Some(bytes), Some(checkpoint)) =
            (self.container.read(path)?, signed.checkpoint.as_ref())
        else {
            return Ok(());
        };
        let Some((imprint, time)) = read_response(&bytes) else {
            let detail = "it is no granted timestamp response with a SHA-256 imprint";
            self.file(Kind::BadTimestamp, path, detail);
            return Ok(());
        };
        if imprint == sha256(&[checkpoint.note().text().as_bytes()]) {
            self.report.timestamps.push(TimestampReport { file: path.to_string(), time });
        } else {
            self.file(Kind::BadTimestamp, path, "it is over something else than this checkpoint");
        }
        Ok(())
    }
}

/// Tags of DER that a timestamp has.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const TIME: u8 = 0x18;
const CONTEXT_0: u8 = 0xa0;

/// 1.2.840.113549.1.7.2, signedData.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, what a timestamp's content is called.
const TST_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 2.16.840.1.101.3.4.2.1, SHA-256.
const SHA_256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// Imprint and time of a granted TimeStampResp (RFC 3161 section 2.4.2).
fn read_response(bytes: &[u8]) -> Option<(Hash, String)> {
    let (mut response, rest) = take(bytes, SEQUENCE)?;
    if !rest.is_empty() {
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
    step(&mut info, INTEGER)?;
    step(&mut info, OBJECT_ID)?;
    let mut imprint = step(&mut info, SEQUENCE)?;
    let mut algorithm = step(&mut imprint, SEQUENCE)?;
    (step(&mut algorithm, OBJECT_ID)? == SHA_256).then_some(())?;
    let hash = Hash::from_slice(step(&mut imprint, OCTETS)?)?;
    step(&mut info, INTEGER)?;
    let time = std::str::from_utf8(step(&mut info, TIME)?).ok()?;
    let is_plain =
        time.len() <= 32 && time.bytes().all(|c| c.is_ascii_digit() || b".Z".contains(&c));
    is_plain.then(|| (hash, time.to_owned()))
}

/// Takes one value of this tag from the front.
fn step<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (content, rest) = take(bytes, tag)?;
    *bytes = rest;
    Some(content)
}

/// Content of the value of this tag at the front, and what is behind it. Lengths have up to three bytes:
/// a file of timestamps has at most a mebibyte.
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
