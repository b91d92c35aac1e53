//! How a segment begins: a free file is claimed, or a new one made, and gets its header.

use std::path::{Path, PathBuf};

use super::error::{At, if_there};
use super::format::{HEADER_BYTES, Head, SLOT_HEADER_BYTES, SegmentHeader, decode_head};
use super::names::{self, Name};
use super::writer::OpenSegment;
use super::{Place, SpoolError};
use crate::disk::DiskFile;

/// Zeros for preallocation are written in pieces of this size: large enough to be few, small
/// enough to be no burden.
const ZERO_BYTES: usize = 256 << 10;

/// A file that is ours, and where it is.
type Claimed = (Box<dyn DiskFile>, PathBuf);

/// Begins a segment: fills in `tag`, `key` and `segment_no` of the header. The header is durable
/// when this returns, so no slot is ever without one. Used numbers are never used again.
pub(crate) fn begin(
    place: &Place,
    mut header: SegmentHeader,
    next_segment_no: &mut u64,
) -> Result<OpenSegment, SpoolError> {
    place.disk.fill_random(&mut header.tag).at("draw random bytes for", &place.dir)?;
    place.disk.fill_random(&mut header.key).at("draw random bytes for", &place.dir)?;
    let names = place.disk.list(&place.dir).at("list", &place.dir)?;
    let (file, path) = match claim(place, &names, &mut header, next_segment_no)? {
        Some(claimed) => claimed,
        None => create(place, &names, &mut header, next_segment_no)?,
    };
    if let Err(error) = write_header(file.as_ref(), &header) {
        discard(place, &path);
        return Err(error).at("begin", &path);
    }
    Ok(OpenSegment { file, path, header, pos: HEADER_BYTES as u64, reported: false })
}

fn write_header(file: &dyn DiskFile, header: &SegmentHeader) -> std::io::Result<()> {
    let mut bytes = header.encode();
    // The first slot's place is zeroed too: the end of the frames is plain from the beginning.
    bytes.resize(HEADER_BYTES + SLOT_HEADER_BYTES, 0);
    file.write_all_at(&bytes, 0)?;
    file.sync_data()
}

/// Takes a free file of the right length by renaming it. Who loses the race for one tries the
/// next.
fn claim(
    place: &Place,
    names: &[String],
    header: &mut SegmentHeader,
    next_segment_no: &mut u64,
) -> Result<Option<Claimed>, SpoolError> {
    if header.size_bytes != place.options.segment_bytes {
        return Ok(None);
    }
    for name in names.iter().filter(|name| Name::parse(name) == Name::Free) {
        let path = next_path(place, header, next_segment_no);
        if if_there(place.disk.rename(&place.dir.join(name), &path)).at("claim", &path)?.is_none() {
            continue;
        }
        let Some(file) = if_there(place.disk.open(&path)).at("open", &path)? else { continue };
        let mut head = vec![0; HEADER_BYTES];
        let n_read = file.read_at(&mut head, 0).at("read", &path)?;
        if decode_head(head.get(..n_read).unwrap_or_default()) != Head::Zero {
            // A power loss brought the name back, not the contents: these are frames, and the
            // sequencer finds them under any name.
            continue;
        }
        if file.len().at("look at", &path)? == header.size_bytes {
            return Ok(Some((file, path)));
        }
        // Left by other settings.
        discard(place, &path);
    }
    Ok(None)
}

fn create(
    place: &Place,
    names: &[String],
    header: &mut SegmentHeader,
    next_segment_no: &mut u64,
) -> Result<Claimed, SpoolError> {
    let bytes = bytes_of(place, names);
    let bytes_max = place.options.bytes_max;
    if bytes.saturating_add(header.size_bytes) > bytes_max {
        return Err(SpoolError::Full { dir: place.dir.clone(), bytes, bytes_max });
    }
    let path = next_path(place, header, next_segment_no);
    let file = place.disk.create(&path).at("create", &path)?;
    if let Err(error) = preallocate(place, file.as_ref(), header.size_bytes) {
        discard(place, &path);
        return Err(error).at("preallocate", &path);
    }
    Ok((file, path))
}

/// Writes real zeros: later writes then change no metadata, and cannot run out of space.
fn preallocate(place: &Place, file: &dyn DiskFile, size_bytes: u64) -> std::io::Result<()> {
    let zeros = vec![0; ZERO_BYTES];
    let mut at = 0;
    while at < size_bytes {
        let n = usize::try_from(size_bytes - at).unwrap_or(usize::MAX).min(ZERO_BYTES);
        file.write_all_at(zeros.get(..n).unwrap_or_default(), at)?;
        at += n as u64;
    }
    file.sync_all()?;
    place.disk.sync_dir(&place.dir)
}

/// Bytes of all files that hold, held or will hold frames.
pub(crate) fn bytes_of(place: &Place, names: &[String]) -> u64 {
    let counted = names.iter().filter(|name| Name::parse(name).holds_frames());
    // A file that is gone by now counts nothing.
    counted.filter_map(|name| place.disk.len_of(&place.dir.join(name)).ok()).sum()
}

fn next_path(place: &Place, header: &mut SegmentHeader, next_segment_no: &mut u64) -> PathBuf {
    header.segment_no = *next_segment_no;
    *next_segment_no += 1;
    place.dir.join(names::segment(&header.producer, header.segment_no))
}

/// Removes a file that holds no frame.
fn discard(place: &Place, path: &Path) {
    if let Err(error) = place.disk.remove(path) {
        tracing::debug!(%error, path = %path.display(), "unused segment not removed");
    }
}
