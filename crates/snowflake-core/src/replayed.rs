//! What was replayed from WAL: the newest lease of the server that wrote it, as it came.
//!
//! Here: how one process leaves it for others, and what is kept of it. Not here: WAL.
//!
//! A standby keeps the primary's lease in its own file, whatever its own settings say or lack: what they mean to
//! the IDs that are there already is found out when this server is to issue some.

use crate::lease::RETRY_EVERY;
use crate::sync::{AtomicI64, AtomicU64, Ordering, fence, yield_now};
use crate::{
    Epoch, Event, Host, Layout, Node, Obstacle, Record, Section, Space, State, read_lease,
};
use std::sync::atomic::Ordering::Relaxed;

/// How often a restart point waits for a disk, [`RETRY_EVERY`] each time: for a minute.
const RESTART_POINT_TRIES: u32 = 60;

/// A record that one process replaces and others read: they see one or another, and no mixture.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Odd while the words change; 0 before there is a record.
    version: AtomicU64,
    words: [AtomicU64; 4],
    /// Where the record ends, in milliseconds since 1970.
    end: AtomicI64,
    /// The same of the newest lease that this life has made durable.
    kept: AtomicI64,
}

impl Replayed {
    /// Takes a record, unless it ends earlier than the one that is there. Returns whether it did. One process may.
    fn take(&self, record: &Record) -> bool {
        let (end, version) = (record.end_unix_millis(), self.version.load(Relaxed));
        if version != 0 && self.end.load(Relaxed) >= end {
            return false;
        }
        self.version.store(version + 1, Relaxed);
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(to_words(record)) {
            word.store(value, Relaxed);
        }
        self.version.store(version + 2, Ordering::Release);
        self.end.store(end, Relaxed);
        true
    }

    fn get(&self) -> Option<Record> {
        loop {
            let before = self.version.load(Ordering::Acquire);
            if before == 0 {
                return None;
            }
            let words = [0, 1, 2, 3].map(|word: usize| self.words[word].load(Relaxed));
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Relaxed) == before {
                return from_words(words);
            }
            yield_now();
        }
    }
}

const NODE_BITS: u32 = 24;
const WIDTH_BITS: u32 = 5;

/// All of a record but its serial number, which is this server's own.
fn to_words(record: &Record) -> [u64; 4] {
    let Record { space: Space { layout, epoch }, node, end, system, .. } = *record;
    let widths = [Section::Datacenter, Section::Machine, Section::Sequence];
    // No width is above 24, and no number has more bits than that.
    let packed = widths
        .iter()
        .fold(0, |packed, &section| packed << WIDTH_BITS | u64::from(layout.bits(section)));
    let packed = packed << NODE_BITS | u64::from(node.datacenter);
    let packed = packed << NODE_BITS | u64::from(node.machine);
    [packed, epoch.unix_millis().cast_unsigned(), end, system]
}

fn from_words([packed, epoch, end, system]: [u64; 4]) -> Option<Record> {
    let part = |shift: u32, bits: u32| (packed >> shift & ((1 << bits) - 1)) as u32;
    let width = |n: u32| part(2 * NODE_BITS + n * WIDTH_BITS, WIDTH_BITS);
    let layout = Layout::new(width(2), width(1), width(0)).ok()?;
    let epoch = Epoch::from_unix_millis(epoch.cast_signed())?;
    let node = Node { datacenter: part(NODE_BITS, NODE_BITS), machine: part(0, NODE_BITS) };
    Some(Record { space: Space { layout, epoch }, node, end, system, serial: 0 })
}

impl State {
    /// Notes a lease that was replayed from WAL: rows that are replayed from now on may have its IDs. For the one
    /// process that replays.
    pub fn note_replayed<H: Host>(&self, host: &H, lease: &Record) {
        if self.replayed.take(lease) {
            host.wake_keeper();
        }
    }

    /// The newest lease that was replayed in this life, if any was.
    pub(crate) fn replayed(&self) -> Option<Record> {
        self.replayed.get()
    }

    /// Until the first ID of this life: keeps what was replayed in this server's own file, for the time after a
    /// restart, which may not replay it again.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is damaged.
    pub fn keep_replayed<H: Host>(&self, host: &H) -> Result<(), Obstacle> {
        let Some(replayed) = self.replayed() else { return Ok(()) };
        host.exclusive(|| {
            // Else promoted, and issuing by now.
            if self.lease_end() == 0 { self.keep(host, replayed) } else { Ok(()) }
        })
    }

    /// The same where replay passes a checkpoint, or ends: a restart may replay nothing of what comes before.
    /// A disk that is full or fails is waited for, as there is no other time for this; but no longer than a minute,
    /// as a database that does not come up is worse than what another crash could do now.
    ///
    /// # Errors
    /// As [`State::keep_replayed`].
    pub fn keep_before_restart_point<H: Host>(&self, host: &H) -> Result<(), Obstacle> {
        for tries in 1.. {
            match self.keep_replayed(host) {
                Err(Obstacle::LeaseFile(failure)) if tries < RESTART_POINT_TRIES => {
                    if tries == 1 {
                        host.log(Event::KeeperFailed(failure.into()));
                    }
                    host.sleep(RETRY_EVERY);
                }
                done => return done,
            }
        }
        Ok(())
    }

    /// The same at a clean stop, when no other process is left.
    pub(crate) fn keep<H: Host>(&self, host: &H, replayed: Record) -> Result<(), Obstacle> {
        // Only what was written in this life is known to be durable: a process that crashed may have left a
        // file that a power cut takes away.
        let end = replayed.end_unix_millis();
        if self.replayed.kept.load(Relaxed) >= end {
            return Ok(());
        }
        let longer = read_lease(host)?.filter(|record| record.end_unix_millis() >= end);
        self.write_lease(host, longer.unwrap_or(replayed))?;
        self.replayed.kept.store(end, Relaxed);
        Ok(())
    }
}
