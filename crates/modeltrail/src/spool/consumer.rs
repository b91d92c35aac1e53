//! The sequencer's side: batches of frames out, acks in, trimming.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::error::{At, if_there};
use super::format::{HEADER_BYTES, Head, decode_head, encode_ack};
use super::hub::Hub;
use super::names::{self, SEQUENCER_LOCK};
use super::quarantine::keep_file;
use super::scan::{Directory, set_free};
use super::track::{Item, Segment, Track};
use super::{Place, ProducerId, SpoolError, SpoolOptions};
use crate::disk::{Disk, DiskLock, RealDisk};

/// How many batches after [`Item::Ended`] the files of a producer are removed although the end
/// was not acknowledged. More than any caller has under way at once, so that one that does act on
/// the end is told again if it dies before it has.
const N_BATCHES_OVER: u32 = 16;

/// What waits in the spool, as far as the sequencer knows without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Depth {
    /// Numbers that are not acknowledged. Exact for producers of this process; of others, frames
    /// behind the next one in the segment that is being read are not counted.
    pub n_frames: u64,
    /// Age in milliseconds of the oldest frame that is not acknowledged; 0 when none is known.
    pub lag_ms: u64,
    /// Segments that could not be trimmed since this sequencer began: space that is not free, and
    /// keys that may still be on the disk.
    pub n_untrimmed: u64,
}

/// Wakes a sequencer that waits in [`Consumer::wait`], from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Hub>);

impl Waker {
    /// Wakes it now, or at its next wait.
    pub fn wake(&self) {
        self.0.commits().ring();
    }
}

/// The one reader of a spool directory. It belongs to the process that opened it; in a forked
/// child its methods answer [`SpoolError::Forked`].
pub struct Consumer {
    place: Place,
    pid: u32,
    hub: Arc<Hub>,
    directory: Directory,
    n_batches: usize,
    seen_rings: u64,
    n_untrimmed: u64,
    lock: Box<dyn DiskLock>,
}

impl Consumer {
    /// Becomes the sequencer of the spool directory `dir` of the ledger `origin`. `None` while
    /// another process, or another `Consumer` in this one, is.
    ///
    /// # Errors
    ///
    /// [`SpoolError::BadOption`]; [`SpoolError::ForeignOrigin`] when the directory holds frames
    /// of another ledger; [`SpoolError::Io`].
    pub fn try_open_dir(
        dir: &Path,
        options: SpoolOptions,
        origin: [u8; 32],
    ) -> Result<Option<Self>, SpoolError> {
        Self::try_open(Arc::new(RealDisk), dir, options, origin)
    }

    /// [`Consumer::try_open_dir`] on any disk.
    pub(crate) fn try_open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: SpoolOptions,
        origin: [u8; 32],
    ) -> Result<Option<Self>, SpoolError> {
        let place = Place::open(disk, dir, options, origin)?;
        let path = place.dir.join(SEQUENCER_LOCK);
        let Some(lock) = place.disk.try_lock(&path, true).at("lock", &path)? else {
            return Ok(None);
        };
        place.check_origins()?;
        let hub = Hub::of(place.disk.as_ref(), &place.dir);
        let pid = place.disk.process_id();
        let directory = Directory::default();
        Ok(Some(Self {
            place,
            pid,
            hub,
            directory,
            n_batches: 0,
            seen_rings: 0,
            n_untrimmed: 0,
            lock,
        }))
    }

    /// The next frames: of each producer in the order of their numbers, of all producers in turn;
    /// at most `n_max` items, and no more once they have `bytes_max` bytes. Empty when there is
    /// nothing now.
    ///
    /// `next_seq_of` is asked once for each producer that is met: the number after the last one
    /// that the store has of it, 0 if none. Frames below are not handed out, and trimmed.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Io`], [`SpoolError::ForeignOrigin`], [`SpoolError::Forked`]. An error with
    /// one producer's files is told when there is nothing to hand out of others; nothing is
    /// skipped by calling again.
    pub fn next_batch(
        &mut self,
        n_max: usize,
        bytes_max: usize,
        next_seq_of: impl Fn(&ProducerId) -> u64,
    ) -> Result<Vec<Item>, SpoolError> {
        self.check_process()?;
        self.seen_rings = self.hub.commits().n_rings();
        let mut items = Vec::new();
        let mut outcome = Ok(());
        // First what is known, then what listing finds; once more if that has to be confirmed.
        for n_scans in 0..3 {
            if n_scans > 0 {
                let taken = self.directory.refresh(&self.place, &mut |item| items.push(item));
                outcome = outcome.and(taken);
            }
            for track in self.directory.tracks.values_mut().filter(|t| t.next_seq.is_none()) {
                track.begin(next_seq_of(&track.producer));
                // The sequencer before this one may have died before it told the producer, which
                // then waits although nothing of it is left to hand out.
                if track.acked_seq > 0 {
                    tell(&self.place, &self.hub, track);
                }
            }
            outcome = outcome.and(self.read_all(n_max, bytes_max, &mut items));
            let confirms = self.directory.tracks.values().any(|track| track.wants_scan);
            if items.len() >= n_max || (n_scans > 0 && !confirms) {
                break;
            }
        }
        self.n_batches = self.n_batches.wrapping_add(1);
        self.trim_all();
        self.tidy();
        match outcome {
            Err(error) if items.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "spool read in part");
                Ok(items)
            }
            Ok(()) => Ok(items),
        }
    }

    /// All frames of `producer` below `next_seq` are in the store, for good: segments that hold
    /// no others are trimmed, and the producer is told. After [`Item::Ended`], what is left of the
    /// producer is removed. Acknowledging the same again does nothing.
    ///
    /// # Errors
    ///
    /// [`SpoolError::AckAhead`] if `next_seq` is beyond what was handed out;
    /// [`SpoolError::Forked`]. That a segment cannot be trimmed is no error of the ack: it is
    /// logged, counted in [`Depth::n_untrimmed`], and left to the next sequencer.
    pub fn ack(&mut self, producer: &ProducerId, next_seq: u64) -> Result<(), SpoolError> {
        self.check_process()?;
        let Some(track) = self.directory.tracks.get_mut(producer) else { return Ok(()) };
        let delivered = track.next_seq();
        if next_seq > delivered {
            return Err(SpoolError::AckAhead { next_seq, delivered });
        }
        track.ack(next_seq);
        tell(&self.place, &self.hub, track);
        self.n_untrimmed += trim(&self.place, track);
        if track.is_over() {
            self.forget(producer);
        }
        Ok(())
    }

    /// What waits to be acknowledged, and the age of the oldest. Cheap: reads at most the head of
    /// one frame of each producer.
    pub fn depth(&mut self) -> Depth {
        let mut depth = Depth { n_untrimmed: self.n_untrimmed, ..Depth::default() };
        if self.check_process().is_err() {
            return depth;
        }
        let mut oldest_us = None;
        for track in self.directory.tracks.values_mut() {
            let progress = self.hub.progress(&track.producer);
            let written_seq = progress.map_or(0, |p| p.written_seq.load(Ordering::Acquire));
            let (n_frames, time_us) = track.waiting(written_seq);
            depth.n_frames = depth.n_frames.saturating_add(n_frames);
            oldest_us = [oldest_us, time_us].into_iter().flatten().min();
        }
        let age_us = oldest_us.map_or(0, |at| self.place.disk.now_us().saturating_sub(at));
        depth.lag_ms = age_us / 1000;
        depth
    }

    /// Waits until there may be something for [`Consumer::next_batch`], or the time is over;
    /// false then, and in a forked child. A commit in this process, or a [`Waker`], ends the wait
    /// at once, what other processes do within [`SpoolOptions::poll_ms`].
    pub fn wait(&mut self, timeout: Duration) -> bool {
        if self.check_process().is_err() {
            return false;
        }
        let deadline = Instant::now().checked_add(timeout);
        let mut left = timeout;
        loop {
            if self.hub.commits().wait(self.seen_rings, left.min(self.place.options.poll()))
                || self.has_news()
            {
                return true;
            }
            left = deadline.map_or(timeout, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
        }
    }

    /// A handle that ends [`Consumer::wait`] from another thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.hub))
    }

    /// Whether the lock file of the sequencer still has its name. If somebody removed it, another
    /// process could take the place of this one.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Io`], [`SpoolError::Forked`].
    pub fn holds_lock(&self) -> Result<bool, SpoolError> {
        self.check_process()?;
        Ok(self.lock.nlink().at("look at", &self.place.dir.join(SEQUENCER_LOCK))? > 0)
    }

    fn check_process(&self) -> Result<(), SpoolError> {
        if self.place.disk.process_id() == self.pid {
            return Ok(());
        }
        Err(SpoolError::Forked { opened_by: self.pid })
    }

    fn has_news(&mut self) -> bool {
        let here = |track: &Track| self.hub.progress(&track.producer).is_some();
        let mut elsewhere = self.directory.tracks.values_mut().filter(|track| !here(track));
        elsewhere.any(Track::has_news) || self.directory.has_news(&self.place)
    }

    /// Reads all producers in turn, each its share of what is left of the batch.
    fn read_all(
        &mut self,
        n_max: usize,
        bytes_max: usize,
        items: &mut Vec<Item>,
    ) -> Result<(), SpoolError> {
        let mut turns: Vec<ProducerId> = self.directory.tracks.keys().copied().collect();
        let n = turns.len().max(1);
        turns.rotate_left(self.n_batches % n);
        let complete_no = self.directory.complete_no();
        let mut n_bytes: usize = items.iter().map(frame_bytes).sum();
        let mut outcome = Ok(());
        while !turns.is_empty() && items.len() < n_max && n_bytes < bytes_max {
            let n_share = ((n_max - items.len()) / turns.len()).max(1);
            let bytes_share = (bytes_max - n_bytes) / turns.len();
            turns.retain(|producer| {
                let left = n_share.min(n_max - items.len());
                let Some(track) = self.directory.tracks.get_mut(producer) else { return false };
                if left == 0 || n_bytes >= bytes_max {
                    return true;
                }
                let read = track.read(&self.place, complete_no, left, bytes_share, |item| {
                    n_bytes = n_bytes.saturating_add(frame_bytes(&item));
                    items.push(item);
                });
                read.unwrap_or_else(|error| {
                    if outcome.is_ok() {
                        outcome = Err(error);
                    }
                    false
                })
            });
        }
        outcome
    }

    /// Forgets the producers that ended some batches ago and whose end was not acknowledged: it
    /// told the caller nothing new.
    fn tidy(&mut self) {
        let mut over = Vec::new();
        for (producer, track) in &mut self.directory.tracks {
            track.n_batches_over += u32::from(track.is_over());
            if track.n_batches_over > N_BATCHES_OVER {
                over.push(*producer);
            }
        }
        for producer in over {
            self.forget(&producer);
        }
    }

    fn forget(&mut self, producer: &ProducerId) {
        remove_files(&self.place, producer);
        self.directory.tracks.remove(producer);
    }

    fn trim_all(&mut self) {
        for track in self.directory.tracks.values_mut() {
            self.n_untrimmed += trim(&self.place, track);
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("dir", &self.place.dir).finish_non_exhaustive()
    }
}

fn frame_bytes(item: &Item) -> usize {
    match item {
        Item::Frame { bytes, .. } => bytes.len(),
        _ => 0,
    }
}

/// Tells a producer what was acknowledged: in this process through the hub, elsewhere through its
/// ack file. Both are hints, so a failure is no more than a line in the log.
fn tell(place: &Place, hub: &Hub, track: &mut Track) {
    if let Some(progress) = hub.progress(&track.producer) {
        progress.acked_seq.fetch_max(track.acked_seq, Ordering::AcqRel);
        hub.acks().ring();
        return;
    }
    if track.dead {
        return;
    }
    let path = place.dir.join(names::ack(&track.producer));
    let written = (|| {
        if track.ack_file.is_none() {
            track.ack_file = match if_there(place.disk.open(&path))? {
                Some(file) => Some(file),
                None => Some(place.disk.create(&path)?),
            };
        }
        let Some(file) = &track.ack_file else { return Ok(()) };
        file.write_all_at(&encode_ack(&track.producer, track.acked_seq), 0)
    })();
    if let Err(error) = written {
        tracing::warn!(%error, path = %path.display(), "ack file not written");
        track.ack_file = None;
    }
}

/// Trims what can be, and answers how many segments could not. Those are left to the next
/// sequencer: a file whose sync failed is not synced again.
fn trim(place: &Place, track: &mut Track) -> u64 {
    let mut n_untrimmed = 0;
    for no in track.trimmable() {
        if let Some(segment) = track.segments.remove(&no)
            && let Err(error) = trim_segment(place, &segment)
        {
            tracing::error!(%error, "spool segment not trimmed");
            n_untrimmed += 1;
        }
    }
    n_untrimmed
}

/// Destroys a segment's key and sets its file free. The header is durably gone before the file
/// can be used again; that it is called free may be forgotten, its contents say so.
fn trim_segment(place: &Place, segment: &Segment) -> Result<(), SpoolError> {
    if segment.keep {
        return keep_file(place, &segment.name);
    }
    let path = place.dir.join(&segment.name);
    let Some(file) = if_there(place.disk.open(&path)).at("open", &path)? else { return Ok(()) };
    let mut head = vec![0; HEADER_BYTES];
    let n_read = file.read_at(&mut head, 0).at("read", &path)?;
    if decode_head(head.get(..n_read).unwrap_or_default()) != Head::Segment(segment.header.clone())
    {
        // Another file than the one that was read: not ours to destroy.
        return Ok(());
    }
    file.write_all_at(&vec![0; HEADER_BYTES], 0).at("trim", &path)?;
    file.sync_data().at("trim", &path)?;
    if file.len().at("look at", &path)? == place.options.segment_bytes {
        return set_free(place, &segment.name);
    }
    if_there(place.disk.remove(&path)).at("remove", &path).map(|_| ())
}

/// Removes the lock and ack files of a producer that has ended.
fn remove_files(place: &Place, producer: &ProducerId) {
    for name in [names::ack(producer), names::lock(producer)] {
        let path = place.dir.join(name);
        if let Err(error) = if_there(place.disk.remove(&path)) {
            tracing::debug!(%error, path = %path.display(), "file of a dead producer not removed");
        }
    }
}
