//! The disk with the lease file, as the operating system has it: what processes see, and what is durable.
//!
//! Replacing the file takes the five steps of [`Step`]; each can fail, and a power cut can come between any
//! two.

use snowflake_core::{Record, Step, Tick};

/// The steps of replacing the file, in order.
pub const WRITE: [Step; 5] =
    [Step::Create, Step::Write, Step::Sync, Step::Rename, Step::SyncDirectory];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    bytes: Vec<u8>,
    is_durable: bool,
}

/// What a power cut does to what is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// No power cut: the operating system goes on, and keeps all.
    Nothing,
    /// It is lost.
    Lost,
    /// The directory has got to the disk, and half of what the file holds.
    Torn,
}

#[derive(Clone, Debug, Default)]
pub struct Disk {
    temporary: Option<File>,
    lease: Option<File>,
    /// The file that the directory on disk names.
    durable: Option<File>,
    /// Where the lease in it ends.
    durable_end: Tick,
}

impl Disk {
    /// Takes a step; one that fails does half of it.
    pub fn step(&mut self, step: Step, bytes: &[u8], fails: bool) {
        match (step, fails) {
            (Step::Create, false) => self.temporary = Some(File::default()),
            (Step::Write, _) => {
                let len = if fails { bytes.len() / 2 } else { bytes.len() };
                self.temporary = Some(File { bytes: bytes[..len].to_vec(), is_durable: false });
            }
            (Step::Sync, false) => self.temporary.iter_mut().for_each(|it| it.is_durable = true),
            (Step::Rename, false) => self.lease = self.temporary.take(),
            (Step::SyncDirectory, false) => self.sync_directory(),
            _ => {}
        }
    }

    /// What a process reads.
    pub fn read(&self) -> Option<Vec<u8>> {
        self.lease.as_ref().map(|file| file.bytes.clone())
    }

    /// Whether a power cut changes what processes read.
    pub fn is_dirty(&self) -> bool {
        self.lease != self.durable || self.lease.as_ref().is_some_and(|file| !file.is_durable)
    }

    /// The end of the lease that no power cut takes away, 0 if there is none.
    pub fn durable_end(&self) -> Tick {
        self.durable_end
    }

    /// The processes are gone, and what a power cut takes.
    pub fn crash(&mut self, cut: Cut) {
        self.temporary = None;
        let left = match cut {
            Cut::Nothing => return,
            Cut::Lost => {
                self.lease.clone_from(&self.durable);
                0
            }
            Cut::Torn => Record::LEN / 2,
        };
        if let Some(file) = self.lease.as_mut().filter(|file| !file.is_durable) {
            *file = File { bytes: file.bytes[..left].to_vec(), is_durable: true };
        }
        self.sync_directory();
    }

    fn sync_directory(&mut self) {
        self.durable.clone_from(&self.lease);
        let file = self.durable.as_ref().filter(|file| file.is_durable);
        let record = file.and_then(|file| Record::from_bytes(&file.bytes).ok());
        self.durable_end = record.map_or(0, |record| record.end);
    }
}
