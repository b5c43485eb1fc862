//! The disk with the lease file, as the operating system has it: what processes see, and what is durable.
//!
//! Making the file takes five steps of [`Step`], and overwriting a part of it two; each can fail, and a power cut can
//! come between any two.

use snowflake_core::{FILE_LEN, Record, Step, Tick, record_in};

/// The steps of making the file, in order.
pub const CREATE: [Step; 4] = [Step::Create, Step::Fill, Step::SyncNew, Step::Rename];
/// The steps of overwriting a part of it.
pub const WRITE: [Step; 2] = [Step::Write, Step::Sync];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    /// What processes read.
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

impl File {
    fn sync(&mut self) {
        self.durable.clone_from(&self.bytes);
    }
}

/// What a power cut does to what is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// No power cut: the operating system goes on, and keeps all.
    Nothing,
    /// It is lost.
    Lost,
    /// The directory has got to the disk, and half of what was written to the file.
    Torn,
}

#[derive(Clone, Debug, Default)]
pub struct Disk {
    temporary: Option<File>,
    lease: Option<File>,
    /// The file that the directory on disk names, where it is another one.
    named: Option<Option<File>>,
    /// Where the lease ends that no power cut takes away.
    durable_end: Tick,
}

impl Disk {
    /// Takes a step; one that fails does half of it.
    pub fn step(&mut self, step: Step, offset: usize, bytes: &[u8], fails: bool) {
        let len = if fails { bytes.len() / 2 } else { bytes.len() };
        match (step, fails) {
            (Step::Create, false) => self.temporary = Some(File::default()),
            (Step::Fill, _) => {
                self.temporary.iter_mut().for_each(|it| it.bytes = bytes[..len].to_vec());
            }
            (Step::SyncNew, false) => self.temporary.iter_mut().for_each(File::sync),
            (Step::Rename, false) => {
                let before = std::mem::replace(&mut self.lease, self.temporary.take());
                self.named.get_or_insert(before);
            }
            (Step::SyncDirectory, false) => self.named = None,
            (Step::Write, _) => {
                let file = self.lease.iter_mut();
                file.for_each(|it| it.bytes[offset..][..len].copy_from_slice(&bytes[..len]));
            }
            (Step::Sync, false) => self.lease.iter_mut().for_each(File::sync),
            _ => {}
        }
        self.note_durable_end();
    }

    /// What a process reads.
    pub fn read(&self) -> Option<Vec<u8>> {
        self.lease.as_ref().map(|file| file.bytes.clone())
    }

    /// Whether a power cut changes what processes read.
    pub fn is_dirty(&self) -> bool {
        self.named.is_some() || self.lease.as_ref().is_some_and(|file| file.bytes != file.durable)
    }

    /// The end of the lease that no power cut takes away, 0 if there is none.
    pub fn durable_end(&self) -> Tick {
        self.durable_end
    }

    /// The processes are gone, and what a power cut takes.
    pub fn crash(&mut self, cut: Cut) {
        self.temporary = None;
        match cut {
            Cut::Nothing => return,
            Cut::Lost => {
                if let Some(named) = self.named.take() {
                    self.lease = named;
                }
                self.lease.iter_mut().for_each(|file| file.bytes.clone_from(&file.durable));
            }
            Cut::Torn => {
                self.named = None;
                self.lease.iter_mut().for_each(tear);
            }
        }
        self.lease.iter_mut().for_each(File::sync);
        self.note_durable_end();
    }

    fn note_durable_end(&mut self) {
        let file = self.named.as_ref().unwrap_or(&self.lease).as_ref();
        let record = file.and_then(|file| record_in(&file.durable).ok());
        self.durable_end = record.map_or(0, |record| record.end);
    }
}

/// Half of each record that is not durable is lost.
fn tear(file: &mut File) {
    file.durable.resize(file.bytes.len(), 0);
    for slot in [0, FILE_LEN / 2] {
        let half = slot + Record::LEN / 2..slot + Record::LEN;
        if let (Some(bytes), Some(durable)) =
            (file.bytes.get_mut(half.clone()), file.durable.get(half))
        {
            bytes.copy_from_slice(durable);
        }
    }
}
