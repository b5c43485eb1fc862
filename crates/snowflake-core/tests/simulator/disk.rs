//! A disk that keeps what was written to the end, and nothing else for certain.

use fastrand::Rng;
use snowflake_core::Record;

type Bytes = [u8; Record::LEN];

#[derive(Clone)]
pub struct Disk {
    durable: Option<Bytes>,
    /// On its way: temporary file, fsync, rename.
    writing: Option<Bytes>,
    keeps: bool,
}

impl Disk {
    /// `keeps` is false for the disk that forgets everything: there is no lease on it then.
    pub fn new(keeps: bool) -> Self {
        Self { durable: None, writing: None, keeps }
    }

    /// What a backup has of it.
    pub fn copy(&self) -> Self {
        Self { writing: None, ..self.clone() }
    }

    pub fn begin(&mut self, record: &Record) {
        self.writing = Some(record.to_bytes());
    }

    pub fn finish(&mut self) {
        if let Some(bytes) = self.writing.take().filter(|_| self.keeps) {
            self.durable = Some(bytes);
        }
    }

    /// Writes without delay.
    pub fn write(&mut self, record: &Record) {
        self.begin(record);
        self.finish();
    }

    /// A write that fails or is cut off leaves the old record or the new one. Returns whether there
    /// was one.
    pub fn cut_off(&mut self, dice: &mut Rng) -> bool {
        let was_writing = self.writing.is_some();
        if dice.bool() {
            self.finish();
        }
        self.writing = None;
        was_writing
    }

    /// # Panics
    /// When it is not a whole record.
    pub fn read(&self) -> Option<Record> {
        self.durable.map(|bytes| Record::from_bytes(&bytes).unwrap())
    }
}
