//! Bundles taken apart and put together again, for tests that act as somebody who changes one: digests
//! fit afterwards, as an attacker would see to that.

use std::collections::BTreeMap;

use modeltrail_core::bundle::{EntryLine, Manifest, tar};
use modeltrail_core::hash::sha256;

/// The files of a bundle by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of a bundle, up to the first that is none.
#[must_use]
pub fn unpack(mut bytes: &[u8]) -> Files {
    let mut files = Files::new();
    while let Some((block, rest)) = bytes.split_first_chunk()
        && let Ok((path, n_bytes)) = tar::read_header(block)
        && let Some((content, rest)) =
            usize::try_from(n_bytes).ok().and_then(|n| rest.split_at_checked(n))
    {
        files.insert(path, content.to_vec());
        bytes = rest.get(tar::padding_bytes(n_bytes)..).unwrap_or(&[]);
    }
    files
}

/// A bundle of files, with digests that fit; `None` without a manifest.
#[must_use]
pub fn pack(mut files: Files) -> Option<Vec<u8>> {
    let listed = |path: &String| !path.starts_with("manifest.");
    let digests = files
        .iter()
        .filter(|(path, _)| listed(path))
        .map(|(path, bytes)| (path.clone(), sha256(&[bytes]).to_hex()))
        .collect();
    change_manifest(&mut files, |manifest| manifest.files = digests)?;
    let digest = sha256(&[files.get("manifest.json")?]);
    files.insert("manifest.sha256".into(), Manifest::digest_line(&digest).into());
    let mut out = Vec::new();
    for (path, content) in files {
        let n_bytes = u64::try_from(content.len()).ok()?;
        out.extend(tar::header(&path, n_bytes)?);
        out.extend(content);
        out.resize(out.len() + tar::padding_bytes(n_bytes), 0);
    }
    out.resize(out.len() + tar::END_BYTES, 0);
    Some(out)
}

/// Changes the manifest; `None` when there is none.
pub fn change_manifest(files: &mut Files, change: impl FnOnce(&mut Manifest)) -> Option<()> {
    let mut manifest = Manifest::parse(files.get("manifest.json")?).ok()?;
    change(&mut manifest);
    files.insert("manifest.json".into(), manifest.to_bytes());
    Some(())
}

/// The lines of a file, each with its line feed.
#[must_use]
pub fn lines(files: &Files, path: &str) -> Vec<Vec<u8>> {
    let bytes = files.get(path).map_or(&[][..], Vec::as_slice);
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Changes the line of an entry of the range; `None` when it is not there.
pub fn change_entry(
    files: &mut Files,
    index: u64,
    change: impl FnOnce(&mut EntryLine<'static>),
) -> Option<()> {
    let mut entries = lines(files, "entries.ndjson");
    let line = entries.get_mut(place_of(files, index)?)?;
    let mut entry = EntryLine::parse(line.trim_ascii_end())?;
    change(&mut entry);
    *line = entry.to_bytes();
    files.insert("entries.ndjson".into(), entries.concat());
    Some(())
}

/// Takes a matching entry out of all that says that it matches: its disclosed parts but the header, its
/// readable record, its receipt, and its place in the manifest.
pub fn leave_out(files: &mut Files, index: u64) -> Option<()> {
    change_entry(files, index, |entry| entry.parts.retain(|part| part.part == 1))?;
    let mut at = None;
    change_manifest(files, |manifest| {
        at = manifest.matching.binary_search(&index).ok();
        manifest.matching.retain(|other| *other != index);
    })?;
    let mut records = lines(files, "records.ndjson");
    if at? >= records.len() {
        return None;
    }
    records.remove(at?);
    files.insert("records.ndjson".into(), records.concat());
    files.remove(&format!("proofs/{index}.tlog-proof"));
    Some(())
}

/// Takes the line of an entry of the range away.
pub fn remove_line(files: &mut Files, index: u64) -> Option<()> {
    let at = place_of(files, index)?;
    let mut entries = lines(files, "entries.ndjson");
    entries.get(at)?;
    entries.remove(at);
    files.insert("entries.ndjson".into(), entries.concat());
    Some(())
}

fn place_of(files: &Files, index: u64) -> Option<usize> {
    let manifest = Manifest::parse(files.get("manifest.json")?).ok()?;
    usize::try_from(index.checked_sub(manifest.range.first)?).ok()
}
