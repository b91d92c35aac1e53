//! Where damage goes: it is kept, never deleted.

use super::error::{At, if_there};
use super::format::SegmentHeader;
use super::names::{self, QUARANTINE};
use super::{Place, SpoolError};

/// Copies a damaged span, behind the head of its segment, and answers the copy's name. The name
/// says where the span was, so that doing it again changes nothing.
pub(crate) fn keep_span(
    place: &Place,
    segment: &SegmentHeader,
    offset: u64,
    head: &[u8],
    span: &[u8],
) -> Result<String, SpoolError> {
    let dir = place.dir.join(QUARANTINE);
    place.disk.create_dir_all(&dir).at("create", &dir)?;
    let name = names::span(&segment.producer, segment.segment_no, &segment.tag, offset);
    let path = dir.join(&name);
    let n_bytes = (head.len() + span.len()) as u64;
    let there = if_there(place.disk.len_of(&path)).at("look at", &path)?;
    let file = match there {
        Some(len) if len >= n_bytes => place.disk.open(&path).at("open", &path)?,
        Some(_) => {
            // An earlier copy that was cut short.
            place.disk.remove(&path).at("remove", &path)?;
            place.disk.create(&path).at("create", &path)?
        }
        None => place.disk.create(&path).at("create", &path)?,
    };
    file.write_all_at(head, 0).at("write", &path)?;
    file.write_all_at(span, head.len() as u64).at("write", &path)?;
    file.sync_all().at("sync", &path)?;
    place.disk.sync_dir(&dir).at("sync", &dir)?;
    Ok(name)
}

/// Moves a whole file.
pub(crate) fn keep_file(place: &Place, name: &str) -> Result<(), SpoolError> {
    let dir = place.dir.join(QUARANTINE);
    place.disk.create_dir_all(&dir).at("create", &dir)?;
    let from = place.dir.join(name);
    place.disk.rename(&from, &dir.join(name)).at("move to quarantine", &from)?;
    place.disk.sync_dir(&dir).at("sync", &dir)?;
    place.disk.sync_dir(&place.dir).at("sync", &place.dir)
}
