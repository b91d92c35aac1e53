//! A search for secrets in every spelling that a program might leave them in.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use modeltrail_core::hash::sha256;

use super::secrets::Canary;

/// The start of a pattern by which it is looked up.
const HEAD_BYTES: usize = 8;

/// What is sought and what was found.
pub(crate) struct Search {
    pub(crate) canaries: Vec<Canary>,
    patterns: Vec<(Vec<u8>, usize, &'static str)>,
    by_head: HashMap<[u8; HEAD_BYTES], Vec<usize>>,
    pub(crate) found: BTreeSet<(usize, &'static str, String)>,
    pub(crate) n_bytes: usize,
}

impl Search {
    pub(crate) fn new(canaries: &[Canary]) -> Self {
        let mut patterns: Vec<(Vec<u8>, usize, &'static str)> = Vec::new();
        for (n, canary) in canaries.iter().enumerate() {
            patterns.extend(spellings(&canary.secret).into_iter().map(|(how, p)| (p, n, how)));
        }
        let mut by_head: HashMap<[u8; HEAD_BYTES], Vec<usize>> = HashMap::new();
        for (n, (pattern, ..)) in patterns.iter().enumerate() {
            let head = pattern.first_chunk().unwrap();
            by_head.entry(*head).or_default().push(n);
        }
        let (found, n_bytes) = (BTreeSet::new(), 0);
        Self { canaries: canaries.to_vec(), patterns, by_head, found, n_bytes }
    }

    /// Searches some bytes; `place` is told with what is found.
    pub(crate) fn look(&mut self, place: &str, bytes: &[u8]) {
        self.n_bytes += bytes.len();
        for (at, window) in bytes.windows(HEAD_BYTES).enumerate() {
            let Some(some) = self.by_head.get(window) else { continue };
            for &n in some {
                let (pattern, canary, how) = &self.patterns[n];
                if bytes[at..].starts_with(pattern) {
                    self.found.insert((*canary, how, place.to_owned()));
                }
            }
        }
    }

    /// Searches every file below a folder, and the names of the files.
    pub(crate) fn look_in(&mut self, folder: &Path) {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let name = path.display().to_string();
            self.look("a name of a file", name.as_bytes());
            if path.is_dir() {
                self.look_in(&path);
            } else {
                self.look(&name, &std::fs::read(&path).unwrap());
            }
        }
    }

    pub(crate) fn has(&self, secret: &str) -> bool {
        self.found.iter().any(|(n, ..)| self.canaries[*n].secret == secret)
    }

    /// What was found, by its kind and a digest: a failing test must not print what must not be told.
    pub(crate) fn report(&self) -> String {
        let mut report = String::new();
        for (n, how, place) in &self.found {
            let canary = &self.canaries[*n];
            let digest = sha256(&[canary.secret.as_bytes()]).to_hex();
            writeln!(report, "{} {} ({how}) in {place}", canary.kind, &digest[..12]).unwrap();
        }
        report
    }
}

/// A secret as it may be spelled in bytes.
fn spellings(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |upper: bool| {
        let digit = |b: &u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
        secret.bytes().map(|b| digit(&b)).collect::<String>().into_bytes()
    };
    let units = || secret.encode_utf16();
    let escaped: String = units().map(|unit| format!("\\u{unit:04x}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    let reversed: String = secret.chars().rev().collect();
    let mut all = vec![
        ("as it is", secret.as_bytes().to_vec()),
        ("in JSON", json.trim_matches('"').as_bytes().to_vec()),
        ("in JSON in JSON", json.trim_matches('"').replace('\\', "\\\\").into_bytes()),
        ("'@' escaped", secret.replace('@', "\\u0040").into_bytes()),
        ("percent", secret.replace('@', "%40").replace('+', "%2B").into_bytes()),
        ("as a debug text", format!("{secret:?}").trim_matches('"').as_bytes().to_vec()),
        ("escaped", escaped.into_bytes()),
        ("hex", hex(false)),
        ("HEX", hex(true)),
        ("UTF-16LE", units().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", units().flat_map(u16::to_be_bytes).collect()),
        ("reversed", reversed.into_bytes()),
    ];
    // Base64 spells the same bytes in three ways, by where they start.
    for shift in 0..3 {
        let mut bytes = vec![b' '; shift];
        bytes.extend(secret.as_bytes());
        let whole = bytes.len() / 3 * 3;
        let text = base64(&bytes[..whole]);
        // The first group holds bytes of what is before.
        let from = if shift == 0 { 0 } else { 4 };
        let pattern = text.into_bytes().split_off(from);
        if pattern.len() >= HEAD_BYTES {
            all.push(("base64", pattern));
        }
    }
    all.retain(|(_, pattern)| pattern.len() >= HEAD_BYTES);
    all
}

/// Standard base64 of whole groups.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_usize;
        for n in 0..3 {
            bits = bits << 8 | usize::from(group.get(n).copied().unwrap_or(0));
        }
        for n in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * n) & 63];
            text.push(if n > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
