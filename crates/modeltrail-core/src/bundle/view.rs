//! Lines that are derived from leaves and parts: `records.ndjson` and `keys/history.ndjson`. A
//! verifier makes them again and compares the bytes, so they may be read without doubt.

use std::collections::BTreeMap;

use crate::code::{Kind, PartId};
use crate::hash::{Hash, base64, hex};
use crate::leaf::Leaf;
use crate::time::format_rfc3339_us;

use super::header::is_json;
use super::line::{EntryLine, LinePart};

/// Name of a kind by its code; one that has no name here is `kind_` and its code.
#[must_use]
pub fn kind_name(code: u8) -> String {
    Kind::from_code(code).map_or_else(|| format!("kind_{code}"), |kind| kind.name().to_owned())
}

/// Name of a part by its code; one that has no name here is `part_` and its code.
#[must_use]
pub fn part_name(code: u16) -> String {
    PartId::from_code(code).map_or_else(|| format!("part_{code}"), |part| part.name().to_owned())
}

/// The text of a leaf's record id.
fn uuid(bytes: &[u8; 16]) -> String {
    let digits = hex(bytes);
    let piece = |range: std::ops::Range<usize>| digits.get(range).unwrap_or("").to_owned();
    [piece(0..8), piece(8..12), piece(12..16), piece(16..20), piece(20..32)].join("-")
}

fn string(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    crate::canonical::write_string(&mut out, text);
    out
}

fn list(names: &[String]) -> Vec<u8> {
    let quoted: Vec<Vec<u8>> = names.iter().map(|name| string(name)).collect();
    [b"[".as_slice(), &quoted.join(&b','), b"]"].concat()
}

/// Members of an object, put together in the order of their names.
#[derive(Default)]
struct Members(BTreeMap<String, Vec<u8>>);

impl Members {
    fn put(&mut self, name: &str, value: Vec<u8>) {
        self.0.insert(name.to_owned(), value);
    }

    fn line(self) -> Vec<u8> {
        let members: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|(name, value)| [string(name), b":".to_vec(), value.clone()].concat())
            .collect();
        [b"{".as_slice(), &members.join(&b','), b"}\n"].concat()
    }
}

/// The line of a matching entry in `records.ndjson`, its line feed included. `disclosed` are the codes of
/// the manifest's parts: one of them that is committed to and not shown was erased.
#[must_use]
pub fn record_line(
    leaf: &Leaf,
    leaf_hash: &Hash,
    line: &EntryLine<'_>,
    disclosed: &[u16],
) -> Vec<u8> {
    let hidden = line.commitments.iter().map(|(part, _)| *part);
    let hidden: Vec<u16> = hidden.filter(|part| line.part(*part).is_none()).collect();
    let (erased, withheld): (Vec<u16>, Vec<u16>) =
        hidden.iter().partition(|part| disclosed.contains(part));
    let mut members = Members::default();
    for (name, parts) in [("erased", erased), ("withheld", withheld)] {
        let names: Vec<String> = parts.into_iter().map(part_name).collect();
        if !names.is_empty() {
            members.put(name, list(&names));
        }
    }
    members.put("index", leaf.index.to_string().into_bytes());
    members.put("kind", string(&kind_name(leaf.kind)));
    members.put("leaf_hash", string(&leaf_hash.to_hex()));
    members.put("producer", string(&hex(&leaf.producer)));
    members.put("producer_seq", leaf.producer_seq.to_string().into_bytes());
    members.put("record_id", string(&uuid(&leaf.record_id)));
    if let Some(time) = format_rfc3339_us(leaf.time_us) {
        members.put("recorded_at", string(&time));
    }
    for LinePart { part, encoding, bytes, .. } in &line.parts {
        let name = part_name(*part);
        if is_json(*encoding, bytes) {
            members.put(&name, bytes.to_vec());
        } else {
            members.put(&format!("{name}_base64"), string(&base64(bytes)));
        }
    }
    members.line()
}

/// The line of a `key` entry in `keys/history.ndjson`, its line feed included; `None` when its
/// `control` is no JSON, which is a finding of its own.
#[must_use]
pub fn history_line(leaf: &Leaf, control: &LinePart<'_>) -> Option<Vec<u8>> {
    if !is_json(control.encoding, &control.bytes) {
        return None;
    }
    let mut members = Members::default();
    members.put("control", control.bytes.to_vec());
    members.put("index", leaf.index.to_string().into_bytes());
    if let Some(time) = format_rfc3339_us(leaf.time_us) {
        members.put("recorded_at", string(&time));
    }
    Some(members.line())
}
