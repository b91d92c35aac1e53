//! Where damage goes: it is kept, never deleted.

use std::io;
use std::path::Path;

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
    if let Err(error) = write_copy(place, &path, head, span) {
        // A part of a copy helps nobody, and the original is still there.
        if let Err(error) = if_there(place.disk.remove(&path)) {
            tracing::debug!(%error, %name, "unfinished copy not removed");
        }
        return Err(error).at("write", &path);
    }
    place.disk.sync_dir(&dir).at("sync", &dir)?;
    Ok(name)
}

fn write_copy(place: &Place, path: &Path, head: &[u8], span: &[u8]) -> io::Result<()> {
    // There already if the sequencer died before it was acknowledged that this is lost.
    let file = match if_there(place.disk.open(path))? {
        Some(file) => file,
        None => place.disk.create(path)?,
    };
    file.write_all_at(head, 0)?;
    file.write_all_at(span, head.len() as u64)?;
    file.sync_all()
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
