//! What the sequencer learns from listing the directory.

use std::collections::BTreeMap;

use super::error::{At, if_there};
use super::format::{Head, SegmentHeader};
use super::names::{self, Name};
use super::quarantine::keep_file;
use super::track::{Item, Segment, Track};
use super::{Place, ProducerId, SpoolError};

/// What is known of a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Needs no second look.
    Settled,
    /// A file that its producer has claimed and not begun to write, to be looked at again.
    Pending,
}

/// The sequencer's picture of the directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// How often it was listed.
    scan_no: u64,
    /// The last listing of which every file could be looked at.
    complete_no: u64,
    /// What is known of the names in it.
    pub(crate) known: BTreeMap<String, Known>,
    /// The producers that were met and have not ended.
    pub(crate) tracks: BTreeMap<ProducerId, Track>,
}

impl Directory {
    /// Finds out which idle producers are dead, then lists the directory. In this order: what a
    /// dead producer wrote last is then in the listing. If a file could not be looked at, nothing
    /// is concluded from the absence of others: it may be the one that is missed.
    pub(crate) fn refresh(
        &mut self,
        place: &Place,
        take: &mut impl FnMut(Item),
    ) -> Result<(), SpoolError> {
        let mut dead = Vec::new();
        for track in self.tracks.values().filter(|track| track.idle && !track.dead) {
            if !is_alive(place, &track.producer)? {
                dead.push(track.producer);
            }
        }
        let outcome = self.scan(place, take);
        if self.complete_no == self.scan_no {
            for producer in dead {
                self.track(producer).dead = true;
            }
        }
        outcome
    }

    /// The last listing of which every file could be looked at.
    pub(crate) fn complete_no(&self) -> u64 {
        self.complete_no
    }

    fn scan(&mut self, place: &Place, take: &mut impl FnMut(Item)) -> Result<(), SpoolError> {
        // Before anything can fail: a listing that failed is not a complete one.
        self.scan_no += 1;
        let mut listed = place.disk.list(&place.dir).at("list", &place.dir)?;
        listed.sort_unstable();
        for track in self.tracks.values_mut() {
            track.wants_scan = false;
        }
        self.known.retain(|name, _| listed.binary_search(name).is_ok());
        // An error with one file, above all a foreign one, must not hide the others.
        let mut first_error = None;
        let mut is_complete = true;
        for name in &listed {
            if self.known.get(name) == Some(&Known::Settled) {
                continue;
            }
            match self.look_at(place, name, &listed, take) {
                Ok(Some(known)) => {
                    self.known.insert(name.clone(), known);
                }
                Ok(None) => {}
                Err(error) => {
                    // Of a foreign segment it is known that it is none of ours.
                    is_complete &= matches!(error, SpoolError::ForeignOrigin { .. });
                    first_error = first_error.or(Some(error));
                }
            }
        }
        if is_complete {
            self.complete_no = self.scan_no;
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Whether the directory has a name that was not looked at.
    pub(crate) fn has_news(&self, place: &Place) -> bool {
        let listed = place.disk.list(&place.dir).unwrap_or_default();
        listed.iter().any(|name| !self.known.contains_key(name))
    }

    fn look_at(
        &mut self,
        place: &Place,
        name: &str,
        listed: &[String],
        take: &mut impl FnMut(Item),
    ) -> Result<Option<Known>, SpoolError> {
        match Name::parse(name) {
            Name::Lock(producer) => {
                self.track(producer);
                Ok(Some(Known::Settled))
            }
            Name::Other => {
                if names::is_new_lock(name) {
                    remove_unused_lock(place, name);
                }
                Ok(Some(Known::Settled))
            }
            parsed => match place.head_of(name)? {
                None => Ok(None),
                Some(Head::Segment(header)) => self.meet(place, name, listed, header).map(Some),
                Some(_) if self.may_be_in_use(place, parsed)? => Ok(Some(Known::Pending)),
                Some(Head::Zero) if parsed == Name::Free => Ok(Some(Known::Settled)),
                Some(Head::Zero) => {
                    remove_unfinished(place, name)?;
                    Ok(None)
                }
                Some(Head::Broken) => {
                    take(quarantine_file(place, name, parsed)?);
                    Ok(None)
                }
            },
        }
    }

    fn track(&mut self, producer: ProducerId) -> &mut Track {
        self.tracks.entry(producer).or_insert_with(|| Track::new(producer))
    }

    fn meet(
        &mut self,
        place: &Place,
        name: &str,
        listed: &[String],
        header: SegmentHeader,
    ) -> Result<Known, SpoolError> {
        place.check_origin(name, &header.origin)?;
        let scan_no = self.scan_no;
        let track = self.track(header.producer);
        if let Some(known) = track.segments.get_mut(&header.segment_no) {
            if known.name == name {
                return Ok(Known::Settled);
            }
            if listed.binary_search(&known.name).is_err() && known.header == header {
                // The same file under another name.
                name.clone_into(&mut known.name);
            } else {
                tracing::warn!(name, twin = %known.name, "copy of a spool segment ignored");
            }
            return Ok(Known::Settled);
        }
        let no = header.segment_no;
        let (name, end_seq) = (name.to_owned(), None);
        let segment = Segment { name, header, seen_in_scan: scan_no, end_seq, keep: false };
        track.segments.insert(no, segment);
        track.ended = false;
        Ok(Known::Settled)
    }

    /// Whether a living producer may be about to write the header of such a file: it claims files
    /// one after the other, so not when it has a later segment.
    fn may_be_in_use(&self, place: &Place, name: Name) -> Result<bool, SpoolError> {
        let Name::Segment(producer, no) = name else { return Ok(false) };
        let track = self.tracks.get(&producer);
        if track.is_some_and(|track| {
            track.dead || track.segments.last_key_value().is_some_and(|(last, _)| *last > no)
        }) {
            return Ok(false);
        }
        is_alive(place, &producer)
    }
}

/// Whether a producer's lock is held. Only a process that holds it can write as that producer.
pub(crate) fn is_alive(place: &Place, producer: &ProducerId) -> Result<bool, SpoolError> {
    let path = place.dir.join(names::lock(producer));
    let lock = if_there(place.disk.try_lock(&path, false)).at("lock", &path)?;
    // Held by somebody, as opposed to free (and ours for a moment) or not there.
    Ok(matches!(lock, Some(None)))
}

/// Gives a trimmed file its place among the free ones. Its name has been durable since it was
/// made; whether this new one is does not matter, its contents say that it is free.
pub(crate) fn set_free(place: &Place, name: &str) -> Result<(), SpoolError> {
    let path = place.dir.join(name);
    let mut random = [0; 8];
    place.disk.fill_random(&mut random).at("draw random bytes for", &place.dir)?;
    let renamed = place.disk.rename(&path, &place.dir.join(names::free(random)));
    if_there(renamed).at("rename", &path).map(|_| ())
}

/// Removes a file that a dead producer made or claimed and never began to write. It is not set
/// free: its producer may have died before the name was durable, and frames that a later one put
/// into it would be lost with the name.
fn remove_unfinished(place: &Place, name: &str) -> Result<(), SpoolError> {
    let path = place.dir.join(name);
    if_there(place.disk.remove(&path)).at("remove", &path).map(|_| ())
}

fn quarantine_file(place: &Place, name: &str, parsed: Name) -> Result<Item, SpoolError> {
    keep_file(place, name)?;
    tracing::warn!(name, "spool segment with a damaged header quarantined");
    let producer = match parsed {
        Name::Segment(producer, _) => producer,
        _ => ProducerId::default(),
    };
    let file = name.to_owned();
    Ok(Item::Quarantined { producer, seq_from: None, seq_to: None, file })
}

/// Removes what a producer that died while it opened has left.
fn remove_unused_lock(place: &Place, name: &str) {
    let path = place.dir.join(name);
    // Held while it is removed: a producer that is just opening then notices and draws anew.
    if let Ok(Some(lock)) = place.disk.try_lock(&path, false) {
        if let Err(error) = place.disk.remove(&path) {
            tracing::debug!(%error, name, "unused lock file not removed");
        }
        drop(lock);
    }
}
