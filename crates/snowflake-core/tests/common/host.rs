//! A server of one process, with clocks that a test sets and a file whose writes fail and tear.

use snowflake_core::{Event, FILE_LEN, Failure, Host, Record, Step};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// A moment well after the default epoch, in milliseconds since 1970.
pub const NOW: i64 = 1_800_000_000_000;

#[derive(Default)]
pub struct OneProcess {
    /// Microseconds of both clocks since [`NOW`], and how far the wall clock was set beyond that.
    pub time: Cell<i64>,
    pub step: Cell<i64>,
    /// How long a write takes, in microseconds.
    pub write_micros: Cell<i64>,
    pub writes: Cell<u64>,
    pub file: RefCell<Option<Vec<u8>>>,
    pub fails: RefCell<Option<Step>>,
    pub events: RefCell<Vec<Event>>,
    pub is_in_recovery: Cell<bool>,
}

impl OneProcess {
    fn fail(&self, step: Step) -> Result<(), Failure> {
        match *self.fails.borrow() {
            Some(it) if it == step => Err(Failure { step, errno: 5 }),
            _ => Ok(()),
        }
    }

    pub fn file(&self) -> Vec<u8> {
        self.file.borrow().clone().unwrap()
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        self.time.set(self.time.get() + time.as_micros() as i64);
    }

    /// The wall clock is set.
    pub fn set(&self, millis: i64) {
        self.step.set(millis * 1_000);
    }
}

impl Host for OneProcess {
    fn wall_millis(&self) -> i64 {
        NOW + (self.time.get() + self.step.get()).div_euclid(1_000)
    }

    fn clocks(&self) -> [i64; 3] {
        let monotonic = self.time.get();
        [monotonic, NOW * 1_000 + monotonic + self.step.get(), monotonic]
    }

    fn max_drift_millis(&self) -> u32 {
        5_000
    }

    fn max_sessions(&self) -> i64 {
        1
    }

    fn is_in_recovery(&self) -> bool {
        self.is_in_recovery.get()
    }

    fn system_identifier(&self) -> u64 {
        7
    }

    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.file.borrow().clone())
    }

    fn create_lease(&self, file: &[u8; FILE_LEN]) -> Result<(), Failure> {
        self.fail(Step::Create)?;
        *self.file.borrow_mut() = Some(file.to_vec());
        Ok(())
    }

    fn sync_directory(&self) -> Result<(), Failure> {
        self.fail(Step::SyncDirectory)
    }

    fn write_lease(&self, offset: u64, record: &[u8; Record::LEN]) -> Result<(), Failure> {
        self.writes.set(self.writes.get() + 1);
        let mut file = self.file.borrow_mut();
        let Some(file) = file.as_mut() else { return Err(Failure { step: Step::Open, errno: 2 }) };
        let torn = self.fail(Step::Write);
        let len = if torn.is_err() { Record::LEN / 2 } else { Record::LEN };
        file[offset as usize..][..len].copy_from_slice(&record[..len]);
        torn?;
        self.time.set(self.time.get() + self.write_micros.get());
        self.fail(Step::Sync)
    }

    fn write_wal(&self, _record: &[u8; Record::LEN]) -> u64 {
        0
    }

    fn wait_for_standbys(&self, _end: u64) -> bool {
        true
    }

    fn sleep(&self, time: Duration) {
        self.pass(time);
    }

    fn has_keeper(&self) -> bool {
        false
    }

    fn wake_keeper(&self) {}

    fn wait_for_lease(&self, _is_over: impl FnMut() -> bool) {}

    fn wake_sessions(&self) {}

    fn log(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }
}
