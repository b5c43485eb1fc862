//! The lease file: two slots, written in turn.
//!
//! Here: which slot holds what, and how a record gets into one. Not here: the record's bytes (`record.rs`), when
//! it is written (`lease.rs`), the file itself (the host's).
//!
//! A write that fails, or that a power cut tears, spoils the slot that it was meant for; the other one holds the
//! lease that is in force. So a write goes to the slot that does not hold the newest durable record, and one that
//! failed is tried again in the same place. The blocks of both are there from the beginning: a full disk does not
//! matter to them.

use crate::sync::{AtomicU64, Ordering::Relaxed};
use crate::{Event, Failure, Host, Obstacle, Record, RecordError, Step};

/// Where a slot begins, and what it takes: a block of most disks and of most file systems.
const BLOCK: usize = 4_096;
/// Length of the file, in bytes.
pub const FILE_LEN: usize = 2 * BLOCK;

/// The file as this server life has left it.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// The serial number of the newest record that is known to be durable; 0 for none. What a former life has left
    /// is not: its process may have crashed before the disk had it.
    serial: AtomicU64,
}

/// What stands in a file.
enum Found {
    Nothing,
    /// A file of version 1.
    Old(Record),
    Newest {
        record: Record,
        /// The other slot holds something that is no record.
        other_is_damaged: bool,
    },
}

impl Found {
    fn read<H: Host>(host: &H) -> Result<Self, Obstacle> {
        let Some(bytes) = host.read_lease()? else { return Ok(Self::Nothing) };
        let record = record_in(&bytes)?;
        if bytes.len() != FILE_LEN {
            return Ok(Self::Old(record));
        }
        // Only the first record leaves the other slot as the file was made.
        let is_damaged = |slot: &[u8]| {
            Record::from_bytes(slot).is_err()
                && (record.serial > 1 || slot.iter().any(|&it| it != 0))
        };
        Ok(Self::Newest { record, other_is_damaged: slots(&bytes).into_iter().any(is_damaged) })
    }

    fn record(self) -> Option<Record> {
        match self {
            Self::Nothing => None,
            Self::Old(record) | Self::Newest { record, .. } => Some(record),
        }
    }
}

/// The record that holds in a lease file.
///
/// # Errors
/// When neither of its slots has what a version of the library has written.
pub fn record_in(bytes: &[u8]) -> Result<Record, RecordError> {
    if bytes.len() != FILE_LEN {
        let record = Record::from_bytes(bytes);
        // A file that was cut off may have lost the newer one.
        let is_whole = bytes.len() == Record::LEN_OF_VERSION_1;
        return record
            .and_then(|it| is_whole.then_some(it).ok_or(RecordError::Length(bytes.len())));
    }
    match slots(bytes).map(Record::from_bytes) {
        // Nothing that a later version has written is to be overwritten.
        [Err(RecordError::Version(version)), _] | [_, Err(RecordError::Version(version))] => {
            Err(RecordError::Version(version))
        }
        [Ok(one), Ok(other)] => Ok(if one.serial > other.serial { one } else { other }),
        [Ok(record), Err(_)] | [Err(_), Ok(record)] => Ok(record),
        [Err(error), Err(_)] => Err(error),
    }
}

/// The two places for records in a file of this version.
fn slots(file: &[u8]) -> [&[u8]; 2] {
    [0, BLOCK].map(|start| &file[start..start + Record::LEN])
}

/// The record in the lease file, if there is one.
///
/// # Errors
/// When the file cannot be read, or neither of its slots holds what a version of the library has written.
pub fn read<H: Host>(host: &H) -> Result<Option<Record>, Obstacle> {
    Ok(Found::read(host)?.record())
}

impl Slots {
    /// Writes a record, durably, with the next serial number. One process at a time may do so.
    pub(crate) fn write<H: Host>(&self, host: &H, record: Record) -> Result<(), Obstacle> {
        let before = match self.serial.load(Relaxed) {
            0 => self.adopt(host)?,
            serial => Some(serial),
        };
        let record = Record { serial: before.unwrap_or(0) + 1, ..record };
        match before {
            Some(_) => self.put(host, &record)?,
            None => self.make(host, &record)?,
        }
        self.serial.store(record.serial, Relaxed);
        Ok(())
    }

    /// Takes over the file of a former life: the serial number of its newest record, which is durable then. None if
    /// there is no file, or one of version 1, which has no room.
    fn adopt<H: Host>(&self, host: &H) -> Result<Option<u64>, Obstacle> {
        match Found::read(host)? {
            Found::Nothing | Found::Old(_) => Ok(None),
            Found::Newest { record, other_is_damaged } => {
                // The same bytes in the same place: whatever becomes of this write, nothing is lost by it.
                self.put(host, &record)?;
                host.sync_directory()?;
                // Said once: the next write goes there.
                if other_is_damaged {
                    host.log(Event::SlotDamaged);
                }
                Ok(Some(record.serial))
            }
        }
    }

    /// Overwrites a slot; makes a new file where someone has removed it.
    fn put<H: Host>(&self, host: &H, record: &Record) -> Result<(), Obstacle> {
        match host.write_lease(offset(record) as u64, &record.to_bytes()) {
            Err(Failure { step: Step::Open, .. }) if host.read_lease()?.is_none() => {
                self.make(host, record)
            }
            written => Ok(written?),
        }
    }

    fn make<H: Host>(&self, host: &H, record: &Record) -> Result<(), Obstacle> {
        host.create_lease(&file(record))?;
        Ok(host.sync_directory()?)
    }
}

fn offset(record: &Record) -> usize {
    (record.serial % 2) as usize * BLOCK
}

/// A whole file with one record.
fn file(record: &Record) -> [u8; FILE_LEN] {
    let mut file = [0; FILE_LEN];
    file[offset(record)..][..Record::LEN].copy_from_slice(&record.to_bytes());
    file
}
