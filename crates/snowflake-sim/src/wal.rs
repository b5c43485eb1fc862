//! The WAL of a primary and its standbys: one stream, of which each has received and replayed a part.

use snowflake_core::Record;

#[derive(Clone, Copy, Debug)]
pub enum Entry {
    Lease([u8; Record::LEN]),
    Checkpoint(Control),
}

/// What the control file says of the last checkpoint: where replay begins, and when it was, in seconds since
/// 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    pub redo: usize,
    pub time: i64,
}

/// Positions in it are numbers of entries.
#[derive(Debug, Default)]
pub struct Wal {
    entries: Vec<Entry>,
    flushed: usize,
    /// So much the first standby has confirmed.
    confirmed: usize,
}

impl Wal {
    pub fn insert(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub fn flush(&mut self) {
        self.flushed = self.entries.len();
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All that a crash leaves, and all that standbys can receive.
    pub fn flushed(&self) -> usize {
        self.flushed
    }

    /// The first standby has received all up to here, and says so.
    pub fn confirm(&mut self, end: usize) {
        self.confirmed = self.confirmed.max(end);
    }

    pub fn confirmed(&self) -> usize {
        self.confirmed
    }

    /// What comes after this position never was.
    pub fn cut(&mut self, end: usize) {
        self.entries.truncate(end);
        self.confirmed = self.confirmed.min(end);
        self.flushed = self.entries.len();
    }

    pub fn entry(&self, position: usize) -> Entry {
        self.entries[position]
    }
}
